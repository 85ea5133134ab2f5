"""What an examination found, one thing at a time.

`check` and `doctor` speak in findings; `protocol check` in remarks, which have a place in a file.
"""

from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """How much a finding matters."""

    FINE = "fine"
    NOTE = "note"  # worth knowing; nothing stops because of it
    PROBLEM = "problem"


class Finding(NamedTuple):
    """One thing that was looked at; `remedy` is what to do about a problem."""

    level: Level
    subject: str
    message: str
    remedy: str | None = None


def fine(subject: str, message: str) -> Finding:
    """All is well with it."""
    return Finding(Level.FINE, subject, message)


def note(subject: str, message: str, remedy: str | None = None) -> Finding:
    """It works, and yet somebody should know."""
    return Finding(Level.NOTE, subject, message, remedy)


def problem(subject: str, message: str, remedy: str | None = None) -> Finding:
    """It stops something."""
    return Finding(Level.PROBLEM, subject, message, remedy)


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"  # a patient would not get it, or must not
    WARNING = "warning"  # somebody has to look at it
    HINT = "hint"  # it could be better


class Remark(NamedTuple):
    """One thing that is wrong with a protocol or its texts, and what to do about it.

    Where `file` is None it is meant of the milestone, wherever that stands.
    """

    severity: Severity
    milestone: str | None
    what: str
    remedy: str | None = None
    file: str | None = None
    line: int = 0
