"""People who write to the clinic, and what it tells them at once."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reminderd.answerbook import Answer
from reminderd.incoming import Replies
from reminderd.interfaces import Reply
from tests.configuration import configuration
from tests.core.build import at
from tests.core.desk import Desk

VERA, STRANGER, CLINIC = "+34600000001", "+34600000009", "+34600000000"
NIGHT = "2026-03-10 02:00"
RED_FLAG = "I cannot breathe"
SECOND_CLINIC = """
[clinics.north]
name = "North Clinic"
phone = "+49 30 901820"
timezone = "Europe/Berlin"
country = "DE"
language = "de"
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """In the night: nobody is there, and nothing else would leave."""
    desk = Desk(tmp_path, at(NIGHT), config=configuration(SECOND_CLINIC))
    yield desk
    desk.close()


def keeps(
    desk: Desk,
    text: str,
    sender: str = VERA,
    *,
    to: str = CLINIC,
    said_at: datetime | None = None,
    answered: bool = False,
) -> int:
    """The number of a reply that nobody has decided about yet."""
    with desk.outbox.transaction():
        sid = f"SM{len(desk.outbox.replies())}"
        reply = Reply(sid, sender, to, text, 0, said_at, answered)
        desk.outbox.keep_reply("console", reply, desk.now)
    return desk.outbox.replies()[0].id


def decides(desk: Desk) -> None:
    Replies(desk.outbox, desk.house.decide).apply(None, desk.now)


def writes(desk: Desk, text: str, sender: str = VERA, **more: object) -> Answer | None:
    """What whoever writes this is told, once it was decided; it has not left yet."""
    number = keeps(desk, text, sender, **more)  # type: ignore[arg-type]
    decides(desk)
    return desk.outbox.answer_to(number)


def why(desk: Desk) -> object:
    """What was said about the answer to the latest reply."""
    decision = desk.outbox.replies()[0].decision
    assert decision is not None
    return decision.why.get("answer")


def state(desk: Desk, reply: int = 1) -> str:
    answer = desk.outbox.answer_to(reply)
    assert answer is not None
    return answer.state.value


def passes(desk: Desk, **span: float) -> None:
    desk.clock.move(timedelta(**span))
