"""Kills a daemon while a provider calls it: what was acknowledged is kept, and counts once."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from http.client import HTTPException
from signal import SIGKILL

from reminderd.interfaces import ReminderFilter
from reminderd.model import Reminder, State
from tests.fakes.twilio_calls import call, status
from tests.fakes.twilio_server import reset
from tests.faults.checker import wrongs
from tests.faults.desk_kills import Findings, Found, Kill
from tests.faults.forks import Fork
from tests.faults.scenes import START, Scene
from tests.waiting import until

LATER = [timedelta(seconds=1), timedelta(seconds=32), timedelta(seconds=3611)]


def in_a_callback(scene: Scene, step: str) -> Found:
    """It dies as it keeps a callback, or as it applies one, which may be all the evidence."""
    scene.prefer_texts()
    port = scene.listens()
    if scene.chance.random() < 0.5:
        scene.twilio.script(reset(accept=True))
    child = Fork(scene.job("run", step=step))
    until(lambda: _has_asked(scene), "every answer is on record")
    acknowledged = _tells(scene, port)
    if acknowledged and step.endswith("application"):
        until(child.has_ended, step)
    killed = child.has_ended() or not acknowledged
    killed = (child.ends() if killed else child.kill()) == -SIGKILL and killed
    scene.taken(START, killed=True)
    for later in LATER:
        if later == LATER[0] or not scene.is_all_sent(START):
            scene.types("run", "--once", at=START + later)
    return list(_what_became(scene, step, acknowledged=acknowledged)), killed


def _has_asked(scene: Scene) -> bool:
    attempts = scene.look("SELECT outcome FROM attempts")
    return len(attempts) >= scene.count and all(
        outcome in ("accepted", "in-doubt") for (outcome,) in attempts
    )


def _tells(scene: Scene, port: int) -> bool:
    """Whether it was acknowledged that the first message was delivered."""
    first = scene.twilio.messages[0]
    asked = next(
        each for each in scene.twilio.requests
        if each.method == "POST" and each.form["To"] == first["to"]
    )  # fmt: skip
    try:
        answer = call(asked.form["StatusCallback"], status(first["sid"]), port)
    except (OSError, HTTPException):
        return False
    return answer.status == 204


def _what_became(scene: Scene, step: str, *, acknowledged: bool) -> Findings:
    house = scene.house()
    # What the provider's list says is kept likewise, and it never says this.
    kept = house.outbox.query("SELECT provider_id FROM callbacks WHERE receipt = 'delivered'")
    expected = acknowledged or step.endswith(("after the callback", "application"))
    if bool(kept) != expected:
        yield f"killed {step}, acknowledged: {acknowledged}, and it is kept: {bool(kept)}"
    yield from _told(scene.twilio.messages[0]["sid"], house.outbox.reminders(ReminderFilter()),
                     delivered=bool(kept))  # fmt: skip
    yield from wrongs(house.outbox, scene.ledger(house), set(), START)
    house.outbox.close()


def _told(sid: str, reminders: list[Reminder], *, delivered: bool) -> Iterator[str]:
    found = [each for each in reminders if each.provider_id == sid]
    if not found:
        yield "nobody knows what became of the first message"
    for each in found:
        if each.state is not State.SENT or (each.receipt == "delivered") != delivered:
            yield f"rem-{each.id}: {each.state}, receipt {each.receipt}, kept: {delivered}"


CRASH_POINTS: dict[str, Kill] = {
    f"webhook: {when} {what}": partial(in_a_callback, step=f"{when} {what}")
    for what in ("the callback", "its application")
    for when in ("before", "in", "after")
}
