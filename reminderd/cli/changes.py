"""What an entry did to a patient's reminders: moved, added, withdrawn, from what to what."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from reminderd.cli.output import instant, note, table
from reminderd.cli.view import reminder_data
from reminderd.cli.wording import fate
from reminderd.model import Reminder, State, public_id
from reminderd.plan import WAITING

if TYPE_CHECKING:
    from reminderd.intake import Change


def tell(before: Sequence[Reminder], change: "Change") -> None:
    """Print the reminders that differ from those of `before`, each with what it was."""
    zone = change.chart.timezone
    rows = [
        (
            what,
            public_id("ses", after.session_id),
            after.milestone,
            _told(was, zone),
            _told(after, zone),
        )
        for what, was, after in _differing(before, change)
    ]
    if rows:
        table(("Change", "Session", "Reminder", "From", "To"), rows)
    else:
        note("No reminder changes.")


def data(before: Sequence[Reminder], change: "Change") -> list[dict[str, Any]]:
    """The same for scripts: what happened, the reminder, and what it was before."""
    zone = change.chart.timezone
    return [
        {
            "change": what,
            "reminder": reminder_data(after, zone),
            "before": reminder_data(was, zone) if was else None,
        }
        for what, was, after in _differing(before, change)
    ]


def _differing(
    before: Iterable[Reminder], change: "Change"
) -> Iterator[tuple[str, Reminder | None, Reminder]]:
    known = {each.key: each for each in before}
    stored = {each.key: each for each in change.chart.reminders}
    for each in change.reminders:
        was, after = known.get(each.key), stored.get(each.key, each)
        yield _what(was, after), was, after


def _what(was: Reminder | None, after: Reminder) -> str:
    """One word for the difference."""
    if after.state not in WAITING:
        return "withdrawn" if was and was.state in WAITING else "left out"
    if was is None:
        return "added"
    if was.state not in WAITING:
        return "revived"
    if was.due_at != after.due_at:
        return "moved"
    if was.state != after.state:
        return "held" if after.state is State.HELD else "released"
    return "changed"


def _told(reminder: Reminder | None, zone: str) -> str | None:
    if reminder is None:
        return None
    if reminder.state not in WAITING:
        return fate(reminder)
    parts = [instant(reminder.due_at, zone), reminder.channel]
    held = fate(reminder) if reminder.state is State.HELD else None
    return " ".join(filter(None, [*parts, held and f"({held})"]))
