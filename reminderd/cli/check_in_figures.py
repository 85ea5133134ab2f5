"""The figures of a report about check-ins: what was asked, and what came back."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from reminderd.cli import output
from reminderd.questions import Question
from reminderd.replies.reading import is_bad
from reminderd.replies.words import RED_FLAGS

# What was asked is answered, well or badly, or something else was written, or nothing was for a
# day, or is yet. Red flags may be among each of the first three.
NAMES = ("asked", "answered", "good", "bad", "other", "silent", "open", "red_flags")

Counts = Counter[str]


def counted(questions: Iterable[Question], now: datetime) -> dict[str, Counts]:
    """By protocol, in order of their keys."""
    found: defaultdict[str, Counts] = defaultdict(Counter)
    for each in questions:
        found[each.protocol].update(_of(each, now))
    return dict(sorted(found.items()))


def _of(question: Question, now: datetime) -> Iterator[str]:
    yield "asked"
    if question.answer:
        yield "answered"
        yield "bad" if is_bad(question.answer) else "good"
    elif question.responses:
        yield "other"
    else:
        yield "silent" if question.is_silent(now) else "open"
    if any(each.decision in RED_FLAGS for each in question.responses):
        yield "red_flags"


def data(found: dict[str, Counts]) -> list[dict[str, Any]]:
    """One object for each protocol."""
    return [
        {"protocol": key, **{name: each[name] for name in NAMES}} for key, each in found.items()
    ]


def tell(found: dict[str, Counts]) -> None:
    """A table with a line for each protocol; nothing where nobody was asked."""
    if found:
        output.note("\nCheck-ins:")
        output.table(
            ["Protocol", *(name.replace("_", " ").capitalize() for name in NAMES)],
            ([key, *(each[name] for name in NAMES)] for key, each in found.items()),
        )
