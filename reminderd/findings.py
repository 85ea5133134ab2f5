"""What an examination found, one thing at a time: `check` and `doctor` speak in these."""

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
