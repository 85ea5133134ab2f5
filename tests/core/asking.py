"""A clinic that asks how its patients are, and patients who write what they like."""

from datetime import datetime, timedelta

from reminderd.incoming import Replies
from reminderd.interfaces import Reply, StoredReply
from reminderd.model import Patient
from tests.core.desk import Desk, rule

VERA, OTHER, CLINIC = "+34600000001", "+34600000009", "+34600000000"
CHECK = rule("check-in", kind="check", after="1h")
MORNING, ASKED = "2026-03-10 10:00", "2026-03-10 11:00"


def ask(desk: Desk, name: str = "Vera", when: str = MORNING, **facts: object) -> Patient:
    """Treat somebody at that time, and ask an hour later how it is."""
    who = desk.patient(name, email=f"{name.lower()}@example.org", **facts)
    desk.treat(who, when)
    desk.later(hours=1)
    return who


def hears(
    desk: Desk, text: str, sender: str = VERA, *, media: int = 0, said_at: datetime | None = None
) -> None:
    """Keep what came; nobody has decided about it yet."""
    sid = f"SM{len(desk.outbox.replies())}"
    reply = Reply(sid, sender, CLINIC, text, media, said_at)
    with desk.outbox.transaction():
        desk.outbox.keep_reply("console", reply, desk.now)


def decides(desk: Desk) -> StoredReply:
    """The latest reply, once all are decided about; then a minute passes."""
    Replies(desk.outbox, desk.house.decide).apply(None, desk.now)
    desk.clock.move(timedelta(minutes=1))
    return desk.outbox.replies()[0]


def writes(desk: Desk, text: str, sender: str = VERA, *, media: int = 0) -> StoredReply:
    """As the clinic's number gets it now, with what was decided."""
    hears(desk, text, sender, media=media)
    return decides(desk)


def waits(reply: StoredReply) -> bool:
    """Whether a person has to read it."""
    assert reply.decision is not None
    return reply.decision.for_staff


def because(reply: StoredReply) -> object:
    """What was said about the question that it belongs to."""
    assert reply.decision is not None
    return reply.decision.why["check_in"]["because"]
