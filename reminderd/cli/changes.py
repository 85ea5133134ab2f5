"""What an entry does to a patient's reminders: moved, added, withdrawn, from what to what."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

from reminderd.cli.output import instant, note, table
from reminderd.cli.view import reminder_data
from reminderd.ids import public_id
from reminderd.model import Reminder, State
from reminderd.plan import WAITING, sort_key
from reminderd.wording import counted, fate

if TYPE_CHECKING:
    from datetime import datetime

    from reminderd.bootstrap import House
    from reminderd.charts import Change
    from reminderd.intake import Intake
    from reminderd.model import Chart


class Made(NamedTuple):
    """An entry that was made, or only tried, with the chart before it."""

    before: "Chart"
    change: "Change"
    preview: bool

    def data(self, house: "House", now: "datetime") -> dict[str, Any]:
        """For scripts: what differs, what is no longer true, and whether it was only tried."""
        from reminderd.cli import correcting

        return {
            "changes": data(self.before.reminders, self.change),
            "correction": correcting.data(house, self.change.chart, now, self.before),
            "preview": self.preview,
        }

    def tell(self, house: "House", now: "datetime") -> None:
        """For people: what differs, what is no longer true, and what has to be known or done."""
        from reminderd.cli import correcting, notices

        change, before = self.change, self.before
        if not tell(before.reminders, change):
            note("No reminder changes." if self.preview else "Stored. No reminder changes.")
        differing = [after for _, _, after in _differing(before.reminders, change)]
        notices.tell(change.chart, differing, now, change.session)
        if correcting.tell(house, change.chart, now, before) and not self.preview:
            correcting.remind(change.chart)
        if self.preview:
            note("This was a preview: nothing was changed.")


def make(
    intake: "Intake", patient_id: int | None, enter: "Callable[[], Change]", *, preview: bool
) -> Made:
    """Enter it; for a preview only to see what comes of it."""
    assert patient_id is not None
    before = intake.chart(patient_id)
    with intake.trial() if preview else nullcontext():
        return Made(before, enter(), preview)


def tell(before: Sequence[Reminder], change: "Change") -> bool:
    """Print the reminders that differ from those of `before`; False where none does."""
    differing = rows(before, change)
    if differing:
        table(("Change", "Session", "From", "To", "Reminders"), differing)
    return bool(differing)


def rows(before: Sequence[Reminder], change: "Change") -> list[tuple[str | None, ...]]:
    """What happened, the session, from what to what, and the reminders that this is true of."""
    zone = change.chart.timezone
    names: dict[tuple[str | None, ...], list[str]] = {}
    for what, was, after in _differing(before, change):
        same = (what, public_id("ses", after.session_id), *_from_to(was, after, zone))
        names.setdefault(same, []).append(after.milestone)
    return [(*same, counted(alike)) for same, alike in names.items()]


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
    """What people would notice; not that what does not go out would do so at another time."""
    known = {each.key: each for each in before}
    for after in sorted(change.chart.reminders, key=sort_key):
        was = known.get(after.key)
        if was is None or _seen(was) != _seen(after):
            yield _what(was, after), was, after


def _seen(reminder: Reminder) -> tuple[object, ...]:
    waits = reminder.state in WAITING
    when = (reminder.due_at, reminder.channel) if waits else ()
    return (reminder.state, reminder.reason, *when)


def _what(was: Reminder | None, after: Reminder) -> str:
    """One word for the difference."""
    if after.state is State.SENT:
        return "sent"
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


def _from_to(was: Reminder | None, after: Reminder, zone: str) -> tuple[str | None, str]:
    """Both in words; their instants only where one has no counterpart or they differ."""
    if was is None:
        return None, _told(after, zone)
    same_time = was.due_at == after.due_at and was.channel == after.channel
    if same_time and State.SCHEDULED not in (was.state, after.state):
        return fate(was), fate(after)
    return _told(was, zone), _told(after, zone)


def _told(reminder: Reminder, zone: str) -> str:
    if reminder.state not in WAITING:
        return fate(reminder)
    held = "held" if reminder.state is State.HELD else None
    return " ".join(filter(None, [instant(reminder.due_at, zone), reminder.channel, held]))
