"""The texts of a protocol that sessions were recorded under, as they are kept for good."""

from typing import TYPE_CHECKING, Any

from reminderd.cli.output import note
from reminderd.errors import NotFound

if TYPE_CHECKING:
    from reminderd.bootstrap import House
    from reminderd.interfaces import Pinned


def of_revision(house: "House", key: str, revision: int) -> "Pinned":
    """The latest text that had this revision; says so where there were several."""
    kept = house.outbox.pinned(key)
    found = [each for each in kept if each.revision == revision]
    if not found:
        there = ", ".join(str(each) for each in sorted({each.revision for each in kept}))
        raise NotFound(
            f"revision {revision} of {key} was never used or signed",
            remedy=f"Kept are: {there}" if there else "Neither was any other.",
        )
    if len(found) > 1:
        note(f"{len(found)} texts of {key} had revision {revision}; this is the latest of them.")
    return found[-1]


def of_session(house: "House", name: str, key: str) -> "Pinned":
    """The text that the session is under; raises NotFound."""
    session = house.intake.session(name)
    if session.protocol != key:
        raise NotFound(f"{name} is a session of {session.protocol}, not of {key}")
    kept = house.outbox.pinned(key)
    return next(each for each in kept if each.id == session.protocol_version)


def in_use(house: "House", key: str, digest: str | None) -> list[dict[str, Any]]:
    """The texts that have sessions, each with how many; `digest` is that of today's file."""
    return [
        {
            "revision": each.revision,
            "sessions": each.sessions,
            "is_current": each.digest == digest,
        }
        for each in house.outbox.pinned(key)
        if each.sessions
    ]
