"""The figures of a report: what was planned and what became of it, without any patient."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from reminderd.cli import output
from reminderd.interfaces import Figure, Outbox, ReportFilter
from reminderd.model import Channel, Reason, State

_NOTHING = timedelta()
_WAITING = (State.SCHEDULED, State.HELD, State.SENDING)
_NOT_SENT = (State.FAILED, State.UNKNOWN, State.EXPIRED, State.CANCELLED, State.SKIPPED)

Line = tuple[str, str, Channel | None]  # protocol, milestone, channel


@dataclass
class Counts:
    """What became of some reminders; `late` and `latest` are from due to sent."""

    fates: Counter[tuple[State, Reason | None]] = field(default_factory=Counter)
    late: timedelta = _NOTHING
    latest: timedelta = _NOTHING
    segments: float = 0.0

    def add(self, figure: Figure) -> None:
        self.fates[figure.state, figure.reason] += figure.count
        self.late += figure.late
        self.latest = max(self.latest, figure.latest)

    def of(self, state: State) -> int:
        return sum(count for (each, _), count in self.fates.items() if each is state)

    @property
    def average(self) -> timedelta | None:
        """From due to sent; None where nothing was sent."""
        sent = self.of(State.SENT)
        return self.late / sent if sent else None


def counted(outbox: Outbox, wanted: ReportFilter) -> dict[Line | None, Counts]:
    """By protocol, milestone and channel; under None, all together."""
    lines: defaultdict[Line | None, Counts] = defaultdict(Counts)
    for each in outbox.figures(wanted):
        for line in ((each.protocol, each.milestone, each.channel), None):
            lines[line].add(each)
    for (protocol, milestone), share in outbox.segments(wanted).items():
        for line in ((protocol, milestone, Channel.SMS), None):
            lines[line].segments += share
    ordered = sorted(
        (each for each in lines if each), key=lambda line: [word or "" for word in line]
    )
    return {line: lines[line] for line in [*ordered, None]}


# For scripts ----------------------------------------------------------------------------------


def data(counted: dict[Line | None, Counts]) -> dict[str, Any]:
    """One object for each line, and the `total`."""
    lines = [
        {"protocol": line[0], "milestone": line[1], "channel": line[2], **_data(counts)}
        for line, counts in counted.items()
        if line is not None
    ]
    return {"figures": lines, "total": _data(counted[None])}


def _data(counts: Counts) -> dict[str, Any]:
    reasons: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (state, reason), count in counts.fates.items():
        if reason is not None:
            reasons[state][reason] = count
    average, was_sent = counts.average, counts.of(State.SENT) > 0
    return {
        "planned": counts.fates.total(),
        **{state.value: counts.of(state) for state in State},
        "reasons": reasons,
        "late_average_seconds": None if average is None else round(average.total_seconds(), 1),
        "late_worst_seconds": counts.latest.total_seconds() if was_sent else None,
        "segments": round(counts.segments, 2),
    }


# For people -----------------------------------------------------------------------------------


def tell(counted: dict[Line | None, Counts]) -> None:
    """A table with a line for each, and the total."""
    if not counted[None].fates:
        output.note("No reminder falls due then.")
        return
    output.table(
        (
            "Protocol", "Milestone", "Channel", "Planned", "Sent", "Waiting", "Not sent",
            "Late", "Worst", "Segments",
        ),
        (_row(line or ("total", "", None), counts) for line, counts in counted.items()),
    )  # fmt: skip


def _row(line: Line, counts: Counts) -> Sequence[object]:
    average = counts.average
    return (
        *line,
        counts.fates.total(),
        counts.of(State.SENT),
        _told(counts, _WAITING),
        _told(counts, _NOT_SENT),
        None if average is None else _span(average),
        None if average is None else _span(counts.latest),
        f"{counts.segments:.1f}" if counts.segments else None,
    )


def _told(counts: Counts, states: Iterable[State]) -> str:
    """`3 held (paused), 1 skipped (booked)`."""
    return ", ".join(
        f"{count} {state}" + (f" ({reason})" if reason else "")
        for wanted in states
        for (state, reason), count in counts.fates.items()
        if state is wanted
    )


def _span(length: timedelta) -> str:
    """`40 s`, `12 min`, `3.5 h`."""
    seconds = length.total_seconds()
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
