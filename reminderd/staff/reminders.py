"""Reminders that wait for a person: what belongs together is one line, while it matters."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from reminderd.ids import public_id
from reminderd.interfaces import ReminderFilter
from reminderd.model import Chart, Outcome, Reason, Reminder, Session, SessionState, State
from reminderd.timing import Treatment, speaks_until
from reminderd.wording import counted, fate
from reminderd.words import NOT_DELIVERED

if TYPE_CHECKING:
    from reminderd.bootstrap import House

Item = dict[str, Any]


def items(house: "House", now: datetime) -> Iterator[Item]:
    """One for each message in doubt, session that nobody has marked, and kind of trouble."""
    flagged = house.outbox.reminders(ReminderFilter(needs_staff=True))
    due = ReminderFilter(
        states=frozenset({State.HELD}), reasons=frozenset({Reason.UNCONFIRMED}), due_until=now
    )
    held = house.outbox.reminders(due)
    view = _View(house, now, sorted({each.patient_id or 0 for each in [*flagged, *held]}))
    doubtful = [each for each in flagged if each.state is State.UNKNOWN]
    yield from _doubts(house, doubtful)
    yield from _troubles(view, [each for each in flagged if view.is_trouble(each)])
    lost = [each for each in flagged if view.is_unmarked(each)]
    yield from _unmarked([*held, *lost])


@dataclass(frozen=True)
class _View:
    """What has to be known beside a reminder to say whether it still matters."""

    house: "House"
    now: datetime
    patients: Sequence[int]

    @cached_property
    def sessions(self) -> dict[int | None, tuple[Chart, Session]]:
        """Every session of these patients, by its id, with the patient's chart.

        Those of a clinic that is no longer configured are left out.
        """
        clinics = self.house.practice.clinics
        found = self.house.outbox.facts(self.patients)
        facts = [each for each in found if each.patient.clinic in clinics]
        charts = self.house.practice.charts(facts, self.house.outbox.approvals())
        return {each.id: (chart, each) for chart in charts for each in chart.sessions}

    def is_unmarked(self, reminder: Reminder) -> bool:
        """Whether it was lost because nobody has said yet that the session took place."""
        known = self.sessions.get(reminder.session_id)
        if known is None or not _is_unconfirmed(reminder):
            return False
        return known[1].state is SessionState.BOOKED

    def is_trouble(self, reminder: Reminder) -> bool:
        """Whether something else is wrong, and the patient's aftercare is not over."""
        if reminder.state is State.UNKNOWN or self.is_unmarked(reminder):
            return False
        if reminder.state is State.SENT and reminder.receipt not in NOT_DELIVERED:
            return False  # words that are false by now: told as a correction
        known = self.sessions.get(reminder.session_id)
        if known is None:
            return True
        chart, session = known
        if not session.stands:
            return False
        if reminder.reason is Reason.SUPERSEDED:  # by a session whose aftercare may last longer
            standing = [each for each in chart.sessions if each.stands]
            return any(self.now < _over_at(chart, each) for each in standing)
        return self.now < _over_at(chart, session)


def _over_at(chart: Chart, session: Session) -> datetime:
    return speaks_until(Treatment.of(chart, session))


def _is_unconfirmed(reminder: Reminder) -> bool:
    return reminder.state is State.EXPIRED and reminder.reason is Reason.UNCONFIRMED


# Messages in doubt -----------------------------------------------------------------------------


def _doubts(house: "House", doubtful: Iterable[Reminder]) -> Iterator[Item]:
    told: set[int | None] = set()
    for each in doubtful:
        if each.id in told:
            continue
        assert each.id is not None
        carried = [row for doubt in house.outbox.doubts_of(each.id) for row in doubt.reminders]
        message = carried or [each]
        told |= {row.id for row in message}
        name = public_id("rem", each.id)
        do = f"reminderd reminder resolve {name} --sent, --resend or --drop"
        yield _item(message, fate(each), do)


# Whatever else is wrong ------------------------------------------------------------------------


def _troubles(view: _View, rows: Iterable[Reminder]) -> Iterator[Item]:
    """Those of one session with the same trouble are one."""
    alike: dict[tuple[int | None, str, bool], list[Reminder]] = {}
    for each in rows:
        can_retry = each.state is State.FAILED and each.expires_at > view.now
        alike.setdefault((each.session_id, _why(view, each), can_retry), []).append(each)
    for (_, why, can_retry), group in alike.items():
        yield _item(group, why, _do(group[0], can_retry))


def _why(view: _View, reminder: Reminder) -> str:
    if reminder.reason is Reason.SUPERSEDED:
        return "no all-clear follows: tell the patient when it is allowed again"
    if reminder.receipt in NOT_DELIVERED:
        return f"sent, and then {reminder.receipt}"
    if _is_unconfirmed(reminder):
        return "not sent: the session was marked as done too late for it"
    if reminder.reason is Reason.REJECTED:
        return _refusal(view, reminder) or fate(reminder)
    return fate(reminder)


def _refusal(view: _View, reminder: Reminder) -> str | None:
    """With the provider's code, where a person has to find out what it means."""
    last = view.house.outbox.attempts(reminder.id or 0)[-1:]
    codes = [each.code for each in last if each.outcome is Outcome.REFUSED]
    return f"refused ({codes[0] or 'no code'}): look it up before trying again" if codes else None


def _do(reminder: Reminder, can_retry: bool) -> str:
    name = public_id("rem", reminder.id)
    if can_retry:
        return f"reminderd reminder retry {name}"
    if reminder.reason is Reason.UNCONFIRMED:
        return f"reminderd session show {public_id('ses', reminder.session_id)}"
    return f"reminderd reminder explain {name}"


def _item(group: Sequence[Reminder], why: str, do: str) -> Item:
    first, names = group[0], [each.milestone for each in group]
    return {
        "what": "reminder",
        "id": public_id("rem", first.id),
        "patient": public_id("pat", first.patient_id),
        "why": f"{counted(names)}: {why}",
        "do": do,
        "reminders": [public_id("rem", each.id) for each in group],
    }


# Sessions that nobody has marked ---------------------------------------------------------------


def _unmarked(rows: Iterable[Reminder]) -> Iterator[Item]:
    """Treatments whose time is over and of which nobody has said that they took place."""
    sessions: dict[int | None, list[Reminder]] = {}
    for each in rows:
        sessions.setdefault(each.session_id, []).append(each)
    for session_id, group in sessions.items():
        name, lost = public_id("ses", session_id), sum(map(_is_unconfirmed, group))
        counts = {"due and held": len(group) - lost, "too late by now": lost}
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        yield {
            "what": "session",
            "id": name,
            "patient": public_id("pat", group[0].patient_id),
            "why": f"not marked done: {told}",
            "do": f"reminderd session done {name}",
            "reminders": [public_id("rem", each.id) for each in group],
        }
