"""What a patient was told and is no longer true, as far as it is new."""

from collections.abc import Sequence
from datetime import datetime

from reminderd.corrections import Untrue
from reminderd.explain import untrue_in_words
from reminderd.model import Chart
from reminderd.plan import LEFT, no_longer_true


def reasons(chart: Chart, now: datetime, before: Chart | None = None) -> list[str]:
    """What the patient was told and is no longer true, with what has happened since.

    With `before`, only what was true by that chart.
    """
    false: dict[str, list[str]] = {}
    if any(each.needs_staff and each.state in LEFT for each in chart.reminders):
        for each in since(no_longer_true(chart, now), before, now):
            false.setdefault(untrue_in_words(each, chart), []).append(each.reminder.milestone)
    return [
        f"told what is no longer true ({', '.join(milestones)}): {why}"
        for why, milestones in false.items()
    ]


def since(untrue: Sequence[Untrue], before: Chart | None, now: datetime) -> list[Untrue]:
    """Those that had not been untrue in the same way by the chart `before`, where there is one."""
    if before is None or not untrue:
        return list(untrue)
    known = {_words(each) for each in no_longer_true(before, now)}
    return [each for each in untrue if _words(each) not in known]


def _words(untrue: Untrue) -> tuple[object, ...]:
    return (untrue.reminder.key, *untrue[1:])
