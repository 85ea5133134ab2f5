"""Why nothing is sent at present: each cause with its reason, until somebody lets go.

Holds are kept with the database, so that they outlive the process and every command sees them.
While there is one nothing is claimed.
"""

import json
from datetime import datetime
from typing import NamedTuple, Protocol

from reminderd.audit import Action, Entry
from reminderd.interfaces import Outbox

HELD = "held"
RESTORED = "restored"  # the cause where the database is older than it was
MOVED = "moved"  # the cause, and the note, where everything went over to another database
RELEASED = "released"


class Notes(Protocol):
    """Where holds are kept."""

    def note(self, key: str) -> str | None: ...

    def set_note(self, key: str, value: str) -> None: ...


class Hold(NamedTuple):
    """One cause for which nothing is sent: a word for programs, and why, for people."""

    cause: str
    why: str
    since: datetime

    @property
    def do(self) -> str:
        """What a person does so that sending goes on."""
        return "set database.url to that one" if self.cause == MOVED else "reminderd release"


def held(outbox: Notes) -> list[Hold]:
    """Every cause for which nothing is sent now, the oldest first; none: sending goes on."""
    moved = json.loads(outbox.note(MOVED) or "null")
    if moved is None:
        return _kept(outbox)
    why = f"it was moved to {moved['to']}"
    return [*_kept(outbox), Hold(MOVED, why, datetime.fromisoformat(moved["at"]))]


def hold(outbox: Notes, cause: str, why: str, now: datetime) -> bool:
    """Send nothing from now on; False where it is held for that cause already.

    Call it in a transaction.
    """
    holds = _kept(outbox)
    if any(each.cause == cause for each in holds):
        return False
    _keep(outbox, [*holds, Hold(cause, why, now)])
    return True


def release(outbox: Outbox, cause: str | None, by: str, now: datetime) -> list[Hold]:
    """Let go of that cause, or of all; returns what was let go of, and keeps who said so.

    What has moved is let go of only by its own cause. Call it in a transaction.
    """
    holds = held(outbox)
    gone = [each for each in holds if cause == each.cause or (not cause and each.cause != MOVED)]
    if gone:
        _keep(outbox, [each for each in holds if each not in gone and each.cause != MOVED])
        if cause == MOVED:
            outbox.set_note(MOVED, "null")
        said = {"at": now.isoformat(), "by": by, "causes": [each.cause for each in gone]}
        outbox.set_note(RELEASED, json.dumps(said, ensure_ascii=False))
        let_go = {"causes": said["causes"]}
        outbox.record([Entry(now, by, Action.RELEASED, "sending", after=let_go)])
    return gone


def lift(outbox: Outbox) -> None:
    """Let go of everything on a copy from which nothing leaves; call it in a transaction."""
    _keep(outbox, [])
    outbox.set_note(MOVED, "null")


def _kept(outbox: Notes) -> list[Hold]:
    kept = json.loads(outbox.note(HELD) or "[]")
    return [Hold(cause, why, datetime.fromisoformat(since)) for cause, why, since in kept]


def _keep(outbox: Notes, holds: list[Hold]) -> None:
    rows = [(each.cause, each.why, each.since.isoformat()) for each in holds]
    outbox.set_note(HELD, json.dumps(rows, ensure_ascii=False))
