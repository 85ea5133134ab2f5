"""What differs between two texts of a protocol and of its templates, in words. Pure.

A protocol is compared by its document (`protocols.document`), so that nothing in the file escapes.
"""

from collections.abc import Iterator, Mapping
from difflib import unified_diff
from enum import StrEnum
from typing import Any, NamedTuple

Data = Mapping[str, Any]

_TIMING = ("after", "before", "day", "days", "lead", "at")
_LABELS = {
    "kind": "kind",
    "topics": "topics",
    "when": "when",
    "holds": "holds",
    "expires": "expires",
    "quiet": "quiet hours",
    "template": "text",
    "channels": "channels",
    "only_for": "only for",
    "source": "source",
    "note": "note",
}
_UNLESS_GIVEN = {"quiet": "defer", "channels": "any", "only_for": "everybody"}
_AROUND = 1  # lines of a template that are shown around a changed one


class Difference(NamedTuple):
    """One thing that differs: of a milestone, or of the whole protocol where that is None.

    `was` is None for what was added, `now` for what was removed.
    """

    milestone: str | None
    what: str
    was: str | None
    now: str | None

    def __str__(self) -> str:
        head = f"{self.milestone}: " if self.milestone else ""
        if self.was is None:
            return f"{head}{self.what} added: {self.now}"
        if self.now is None:
            return f"{head}{self.what} removed: {self.was}"
        if self.was == self.now:
            return f"{head}{self.what} {self.now}, as before but written otherwise"
        return f"{head}{self.what} {self.was} → {self.now}"


class Fate(StrEnum):
    """What became of a template file."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"  # it is gone, or the protocol does not use it any more


class TextDifference(NamedTuple):
    """One template that differs, such as `en/no-shower`, with the lines as `diff -u` has them."""

    name: str
    fate: Fate
    lines: tuple[str, ...]


def when(milestone: Data) -> str:
    """The timing of a milestone: `48h after`, `days 1 to 5, 09:00`."""
    match milestone:
        case {"after": after}:
            return f"{after} after"
        case {"before": before}:
            return f"{before} before"
        case {"lead": lead, "at": at}:
            return f"{lead} from the next session, {at}"
        case {"days": [first, last], "at": at}:
            return f"days {first} to {last}, {at}"
    return f"day {milestone['day']}, {milestone['at']}"


# The rules --------------------------------------------------------------------------------------


def rules(was: Data, now: Data) -> list[Difference]:
    """What differs between two documents of a protocol, in the order of the file."""
    return [*_heads(was, now), *_sources(was, now), *_courses(was, now), *_milestones(was, now)]


def _heads(was: Data, now: Data) -> Iterator[Difference]:
    for key in ("key", "title", "revision"):
        if was[key] != now[key]:
            yield Difference(None, key, str(was[key]), str(now[key]))


def _sources(was: Data, now: Data) -> Iterator[Difference]:
    before, after = was.get("sources", {}), now.get("sources", {})
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield Difference(None, f"source {name}", before.get(name), after.get(name))


def _courses(was: Data, now: Data) -> Iterator[Difference]:
    before, after = was.get("course", {}), now.get("course", {})
    for key in ("sessions", "intervals"):
        if before.get(key) != after.get(key):
            yield Difference(None, f"course {key}", _told(before.get(key)), _told(after.get(key)))


def _milestones(was: Data, now: Data) -> Iterator[Difference]:
    before = {each["id"]: each for each in was["milestones"]}
    after = {each["id"]: each for each in now["milestones"]}
    for name in dict.fromkeys([*after, *before]):
        if name not in before:
            yield Difference(name, "milestone", None, _summary(after[name]))
        elif name not in after:
            yield Difference(name, "milestone", _summary(before[name]), None)
        else:
            yield from _fields(before[name], after[name])
    stayed = [name for name in before if name in after]
    order = [name for name in after if name in before]
    if stayed != order:
        yield Difference(None, "order of the milestones", ", ".join(stayed), ", ".join(order))


def _fields(was: Data, now: Data) -> Iterator[Difference]:
    for field, label in _LABELS.items():
        keys = _TIMING if field == "when" else (field,)
        if any(was.get(key) != now.get(key) for key in keys):
            yield Difference(now["id"], label, _field(was, field), _field(now, field))


def _field(milestone: Data, field: str) -> str:
    if field == "when":
        return when(milestone)
    if field == "template":
        return str(milestone.get(field, milestone["id"]))
    return _told(milestone.get(field)) or _UNLESS_GIVEN.get(field, "none")


def _summary(milestone: Data) -> str:
    """`restriction, shower, 0m after, holds 12h`."""
    head = [milestone["kind"], _told(milestone["topics"]), when(milestone)]
    rest = [
        f"{label} {_told(milestone[field])}"
        for field, label in _LABELS.items()
        if field in milestone and field not in ("kind", "topics")
    ]
    return ", ".join(map(str, [*head, *rest]))


def _told(value: object) -> str | None:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return None if value is None else str(value)


# The texts --------------------------------------------------------------------------------------


def texts(was: Mapping[str, str], now: Mapping[str, str]) -> list[TextDifference]:
    """What differs between templates, each given by its name with what it says."""
    return [
        TextDifference(name, _fate(name in was, name in now), _lines(was.get(name), now.get(name)))
        for name in sorted({*was, *now})
        if was.get(name) != now.get(name)
    ]


def _fate(was_there: bool, is_there: bool) -> Fate:
    if was_there and is_there:
        return Fate.CHANGED
    return Fate.ADDED if is_there else Fate.REMOVED


def _lines(was: str | None, now: str | None) -> tuple[str, ...]:
    before, after = (was or "").splitlines(), (now or "").splitlines()
    _, _, *lines = unified_diff(before, after, n=_AROUND, lineterm="")
    return tuple(lines)
