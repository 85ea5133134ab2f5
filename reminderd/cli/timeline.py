"""A patient's plan as a picture: a row for each local day, its 24 hours, and what goes out when."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import groupby
from typing import TYPE_CHECKING

from reminderd.hours import ONE_DAY, local_date, quiet_period, resolve, zone
from reminderd.model import Kind, QuietHours, Reminder, Session, State
from reminderd.wording import counted, fate

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

WIDE = 112  # columns from which on a cell is half an hour
LONG_GAP = 3  # so many empty days and more are one line

_TREATMENT = "◆"
_NOW = "▾"
_REPLY = "↩"
_MARKS = {
    State.FAILED: ("✗", "bold red", "failed"),
    State.UNKNOWN: ("?", "bold red", "in doubt"),
    State.SENDING: ("◐", "bold cyan", "being sent"),
    State.SCHEDULED: ("●", "bold cyan", "goes out"),
    State.HELD: ("○", "yellow", "held"),
    State.SENT: ("✓", "green", "sent"),
}
_RANK = [
    _TREATMENT,
    _REPLY,
    *(mark for mark, _, _ in _MARKS.values()),
]  # of two in a cell, the first
_COLOURS = {
    Kind.RESTRICTION: "red",
    Kind.RELEASE: "green",
    Kind.CHECK: "yellow",
    Kind.ROUTINE: "cyan",
    Kind.INFORM: "",
    Kind.COURSE: "magenta",
}
_KINDS = list(Kind)


def draw(
    console: "Console",
    reminders: Iterable[Reminder],
    zone_name: str,
    quiet: QuietHours,
    now: datetime,
    sessions: Iterable[Session] = (),
    replies: Iterable[tuple[datetime, str]] = (),
) -> None:
    """Print the picture on `console`, as wide as it is (80 columns at least look well).

    `sessions` are the treatments to show; days count from the last one before them. `replies` are
    what the patient wrote: when, and what there is to say of it.
    """
    reminders = list(reminders)
    treatments = sorted((each for each in sessions if each.stands), key=lambda each: each.at)
    cells = 48 if console.width >= WIDE else 24
    picture = _Picture(zone_name, quiet, now, treatments, cells)
    events = sorted(
        [
            *picture.treatment_events(),
            *picture.message_events(reminders),
            *picture.reply_events(replies),
        ],
        key=lambda event: (event.at, event.mark != _TREATMENT),
    )
    if events:
        console.print(picture.table(events))
        console.print(picture.legend(events))
    console.print(_left_out(reminders))


@dataclass(frozen=True)
class _Event:
    """One mark on a day's strip with what stands beside it."""

    at: datetime
    mark: str
    style: str
    meaning: str
    text: "Text"


@dataclass(frozen=True)
class _Picture:
    zone: str
    quiet: QuietHours
    now: datetime
    treatments: Sequence[Session]
    cells: int

    # What happens ----------------------------------------------------------------------------

    def treatment_events(self) -> Iterator[_Event]:
        from rich.text import Text

        for each in self.treatments:
            what = ", ".join(filter(None, [each.protocol, each.area, *sorted(each.tags)]))
            booked = "" if each.state == "done" else f" ({each.state})"
            text = Text(what + booked, "bold")
            yield _Event(each.at, _TREATMENT, "bold magenta", "treatment", text)

    def message_events(self, reminders: Iterable[Reminder]) -> Iterator[_Event]:
        """What falls due at once on one channel is one message."""
        from rich.text import Text

        shown = [each for each in reminders if each.state in _MARKS]
        shown.sort(key=self._message)
        for (at, channel, state), group in groupby(shown, key=self._message):
            mark, style, meaning = _MARKS[State(state)]
            text = Text.assemble((f"{channel} " if channel else "", "bold"), _names(group))
            yield _Event(at, mark, style, meaning, text)

    def reply_events(self, replies: Iterable[tuple[datetime, str]]) -> Iterator[_Event]:
        from rich.text import Text

        for at, said in replies:
            yield _Event(at, _REPLY, "bold yellow", "reply", Text(said))

    def _message(self, reminder: Reminder) -> tuple[datetime, str, str]:
        at = reminder.sent_at or reminder.due_at or reminder.nominal_at
        if reminder.state is State.SCHEDULED and self.now < reminder.expires_at:
            at = max(at, self.now)  # what is overdue goes out at once
        return (at, reminder.channel or "", reminder.state)

    # How it looks ----------------------------------------------------------------------------

    def table(self, events: Sequence[_Event]) -> "Table":
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1, 0, 0))
        for _ in range(3):
            table.add_column(no_wrap=True)
        table.add_column()
        hours = "".join(f"{hour:02}".ljust(self.cells // 4) for hour in (0, 6, 12, 18))
        table.add_row("", "", Text(hours, "dim"), "")
        by_day = groupby(events, key=lambda event: local_date(self.zone, event.at))
        last: date | None = None
        for day, group in by_day:
            for empty in _between(last, day):
                table.add_row(*self._row(empty, []) if isinstance(empty, date) else ("", "", empty))
            table.add_row(*self._row(day, list(group)))
            last = day
        return table

    def _row(self, day: date, events: Sequence[_Event]) -> "tuple[Text, Text, Text, Table]":
        from rich.text import Text

        is_today = day == local_date(self.zone, self.now)
        head = Text(f"{day:%a} {day.day:2} {day:%b}", "bold reverse" if is_today else "")
        label = Text(self._day_label(day), "dim")
        return head, label, self._strip(day, events), self._list(day, events)

    def _day_label(self, day: date) -> str:
        starts = [local_date(self.zone, each.at) for each in self.treatments]
        if not starts:
            return ""
        start = max((each for each in starts if each <= day), default=starts[0])
        return f"day {(day - start).days}"

    def _strip(self, day: date, events: Sequence[_Event]) -> "Text":
        from rich.text import Text

        strip = [self._cell(day, index) for index in range(self.cells)]
        if day == local_date(self.zone, self.now):
            strip[self._place(self.now)] = (_NOW, "bold")
        for event in sorted(events, key=lambda each: _RANK.index(each.mark), reverse=True):
            strip[self._place(event.at)] = (event.mark, event.style)
        return Text.assemble(*strip)

    def _cell(self, day: date, index: int) -> tuple[str, str]:
        """What the middle of that part of the day is: asleep, awake, skipped or there twice."""
        minutes = (2 * index + 1) * 24 * 60 // (2 * self.cells)
        wall = time(minutes // 60, minutes % 60)
        instant = resolve(self.zone, day, wall)
        local = instant.astimezone(zone(self.zone))
        if local.time() != wall:
            return (" ", "")
        twice = local.replace(fold=1).utcoffset() != local.utcoffset()
        if quiet_period(self.zone, self.quiet, instant):
            return ("▒" if twice else "░", "blue")
        return ("═" if twice else "─", "dim")

    def _place(self, at: datetime) -> int:
        local = at.astimezone(zone(self.zone))
        return (local.hour * 60 + local.minute) * self.cells // (24 * 60)

    def _list(self, day: date, events: Sequence[_Event]) -> "Table":
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 1, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column()
        for event in events:
            clock = f" {event.at.astimezone(zone(self.zone)):%H:%M}"
            table.add_row(Text.assemble((event.mark, event.style), clock), event.text)
        change = self._clock_change(day)
        if change:
            table.add_row("", Text(change, "italic"))
        return table

    def _clock_change(self, day: date) -> str:
        midnight = time(0)
        length = resolve(self.zone, day + ONE_DAY, midnight) - resolve(self.zone, day, midnight)
        if length == ONE_DAY:
            return ""
        hours = length.total_seconds() / 3600
        direction = "forward" if length < ONE_DAY else "back"
        return f"clocks go {direction}: {hours:g} hours"

    def legend(self, events: Sequence[_Event]) -> "Text":
        from rich.text import Text

        parts = dict.fromkeys((event.mark, event.style, event.meaning) for event in events)
        text = Text()
        for mark, style, meaning in parts:
            text.append(mark, style).append(f" {meaning}   ")
        if any(
            local_date(self.zone, event.at) == local_date(self.zone, self.now) for event in events
        ):
            text.append(_NOW, "bold").append(" now   ")
        if self.quiet.start != self.quiet.end:
            text.append("░", "blue").append(f" quiet {self.quiet}   ")
        text.append(f"times in {self.zone}", "dim")
        return text


def _names(reminders: Iterable[Reminder]) -> "Text":
    from rich.text import Text

    ordered = sorted(reminders, key=lambda each: (_KINDS.index(each.kind), each.milestone))
    return Text(", ").join(Text(each.milestone, _COLOURS[each.kind]) for each in ordered)


def _between(last: date | None, day: date) -> "Iterable[date | Text]":
    """The empty days between two rows, or one line where there are many."""
    from rich.text import Text

    count = (day - last).days - 1 if last else 0
    if last is None or count < LONG_GAP:
        return [day - n * ONE_DAY for n in range(count, 0, -1)]
    return [Text(f"⋮ {count} days with nothing", "dim")]


def _left_out(reminders: Sequence[Reminder]) -> "Table":
    """What is held and what does not go out, by reason."""
    from rich.table import Table
    from rich.text import Text

    by_fate: dict[str, list[str]] = {}
    for each in reminders:
        if each.state is State.HELD or each.state not in _MARKS:
            by_fate.setdefault(fate(each), []).append(each.milestone)
    table = Table.grid(padding=(0, 1, 0, 1))
    for said, names in by_fate.items():
        table.add_row(Text.assemble((f"{said}: ", "dim bold"), (counted(names), "dim")))
    return table
