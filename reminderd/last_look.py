"""What is on record once more, in the very transaction that marks or settles a message.

A claim may be minutes old by then: meanwhile somebody may have withdrawn consent, or moved the
session. What was committed before counts.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from reminderd.interfaces import Outbox
from reminderd.model import Chart, State
from reminderd.plan import changes, still_true
from reminderd.practice import Practice
from reminderd.verdicts import Letter, Verdict, unmarked


class LastLook:
    """Compares the charts that messages were claimed by with those on record; in a transaction."""

    def __init__(self, outbox: Outbox, practice: Practice) -> None:
        self._outbox = outbox
        self._practice = practice

    def still_right(
        self, letters: Sequence[Letter], now: datetime, verdicts: list[Verdict]
    ) -> Iterator[Letter]:
        """Those that may leave as they are; the others go back, to be claimed anew."""
        if not letters:
            return
        charts = self._now(each.parcel.chart for each in letters)
        for letter in letters:
            chart = charts[letter.parcel.chart.patient.id]
            is_same = not _has_changed(letter.parcel.chart, chart)
            if is_same and all(still_true(chart, each, now) for each in letter.reminders):
                yield letter
            else:
                verdicts.append(unmarked(letter))

    def plan_again(self, verdicts: Iterable[Verdict], now: datetime) -> None:
        """What waits again goes by a new plan, where the one that it was claimed by is void."""
        waiting = [
            each.chart
            for each in verdicts
            if any(reminder.state is State.SCHEDULED for reminder in each.settlement.reminders)
        ]
        if not waiting:
            return
        charts = self._now(waiting)
        void = {
            each.patient.id or 0 for each in waiting if _has_changed(each, charts[each.patient.id])
        }
        facts, approvals = self._outbox.facts(sorted(void)), self._outbox.approvals()
        for chart in self._practice.charts(facts, approvals):
            self._outbox.save_reminders(changes(chart, now))

    def _now(self, charts: Iterable[Chart]) -> dict[int | None, Chart]:
        """These as they are on record, by patient, without their reminders."""
        ids = sorted({each.patient.id or 0 for each in charts})
        facts, approvals = self._outbox.bare_facts(ids), self._outbox.approvals()
        return {each.patient.id: each for each in self._practice.charts(facts, approvals)}


def _has_changed(then: Chart, now: Chart) -> bool:
    return (then.patient, then.sessions) != (now.patient, now.sessions)
