"""Kills a process while it tells the clinic's own people: they are told, and twice at most.

The second mail is the very same as the first, by its Message-ID too, so that it is shown once.
"""

from collections.abc import Sequence
from datetime import timedelta
from email import message_from_bytes
from functools import partial
from signal import SIGKILL

from reminderd.interfaces import Reply
from tests.fakes.smtp_server import Mail
from tests.faults.checker import CANARIES
from tests.faults.desk_kills import Findings, Found, Kill
from tests.faults.hook_kills import RED_FLAG
from tests.faults.scenes import START, Scene

STAFF = "front@example.org"
LATER = [timedelta(seconds=1), timedelta(seconds=90), timedelta(seconds=180)]
# At which passing of which step, and how many mails there are once everything is over.
AFTERWARDS = {
    ("before the alert", 1): 1,
    ("in the alert", 1): 1,
    ("after the alert", 1): 1,
    ("in the alert's record", 1): 1,
    ("after the alert's record", 1): 1,
    ("before the alert's record", 2): 2,
    ("in the alert's record", 2): 2,
    ("after the alert's record", 2): 1,
}


def in_an_alert(scene: Scene, step: str, number: int) -> Found:
    """It dies there; the next ones tell what is not known to be told."""
    scene.prefer_texts()
    scene.tells(STAFF)
    house = scene.house()
    with house.outbox.transaction():
        house.outbox.keep_reply("twilio", Reply("SM1", "+34600000001", "", RED_FLAG), START)
    house.outbox.close()
    killed = scene.types("run", "--once", step=step, number=number) == -SIGKILL
    for later in LATER:
        scene.types("run", "--once", at=START + later)
    return list(_what_became(scene, step, AFTERWARDS[step, number])), killed


def _what_became(scene: Scene, step: str, expected: int) -> Findings:
    told = [each for each in scene.smtp.mails if each.to == STAFF]
    if len(told) != expected:
        yield f"killed {step}: {len(told)} mails, and not {expected}"
    if len(_names(told)) > 1:
        yield f"killed {step}: they are shown as {len(_names(told))}"
    house = scene.house()
    if [each.sent_at is None for each in house.outbox.alerts("")] != [False]:
        yield f"killed {step}: on record is {house.outbox.alerts('')}"
    house.outbox.close()
    yield from (f"the log says {each}" for each in CANARIES if each in scene.log)


def _names(mails: Sequence[Mail]) -> set[str]:
    return {message_from_bytes(each.content)["Message-ID"] for each in mails}


CRASH_POINTS: dict[str, Kill] = {
    f"alert: {step}, passing {number}": partial(in_an_alert, step=step, number=number)
    for step, number in AFTERWARDS
}
