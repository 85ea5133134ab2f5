"""Kills a daemon while a provider calls it: what was acknowledged is kept, and counts once."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from http.client import HTTPException
from signal import SIGKILL

from reminderd.audit import Action
from reminderd.interfaces import ReminderFilter
from reminderd.model import Reminder, State
from reminderd.plan import WAITING
from reminderd.rules import REASSURING
from tests.fakes.twilio_calls import call, inbound, status
from tests.fakes.twilio_server import reset
from tests.faults.checker import wrongs
from tests.faults.desk_kills import Findings, Found, Kill
from tests.faults.forks import Fork
from tests.faults.scenes import PUBLIC, START, Scene
from tests.waiting import until

REPLY = "SM" + "e" * 32
RED_FLAG = "My lip is swelling"
OPENED = Action.INCIDENT_OPENED
LATER = [timedelta(seconds=1), timedelta(seconds=32), timedelta(seconds=3611)]


def in_a_callback(scene: Scene, step: str) -> Found:
    """It dies as it keeps a callback, or as it applies one, which may be all the evidence."""
    scene.prefer_texts()
    port = scene.listens()
    if scene.chance.random() < 0.5:
        scene.twilio.script(reset(accept=True))
    child = Fork(scene.job("run", step=step))
    until(lambda: has_asked(scene), "every answer is on record")
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


def has_asked(scene: Scene) -> bool:
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
    # Less than that is also heard by whoever asks.
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


def in_a_reply(scene: Scene, step: str, words: str = "Is that normal?") -> Found:
    """It dies as it keeps what a patient wrote, or as it hands it on to whoever decides."""
    scene.prefer_texts()
    port = scene.listens()
    child = Fork(scene.job("run", step=step))
    until(lambda: has_asked(scene), "every answer is on record")
    acknowledged = writes(scene, port, words)
    if acknowledged and step.endswith(("decision", "incident")):
        until(child.has_ended, step)
    killed = child.has_ended() or not acknowledged
    killed = (child.ends() if killed else child.kill()) == -SIGKILL and killed
    scene.taken(START, killed=True)
    scene.types("run", "--once", at=START + LATER[0])
    found = list(_what_is_kept(scene, step, acknowledged=acknowledged))
    return found + (list(_who_acts(scene)) if words == RED_FLAG else []), killed


def writes(scene: Scene, port: int, words: str) -> bool:
    """Whether the first patient's words were acknowledged."""
    form = inbound(REPLY, words, sender=str(scene.twilio.messages[0]["to"]))
    try:
        return call(f"{PUBLIC}/hooks/twilio/inbound", form, port).status == 200
    except (OSError, HTTPException):
        return False


def _what_is_kept(scene: Scene, step: str, *, acknowledged: bool) -> Findings:
    house = scene.house()
    kept = house.outbox.replies()
    expected = acknowledged or step.endswith(("after the reply", "decision", "incident"))
    if bool(kept) != expected or len(kept) > 1:
        yield f"killed {step}, acknowledged: {acknowledged}, and kept are {len(kept)}"
    for each in kept:
        if each.decision is None or not each.patients:
            yield f"{each.id}: nobody decided on it, or it is nobody's"
    yield from wrongs(house.outbox, scene.ledger(house), set(), START)
    house.outbox.close()


def _who_acts(scene: Scene) -> Findings:
    """One incident, opened once, with the one reply; and nothing that reassures is on its way."""
    house = scene.house()
    opened = [each.entry for each in house.outbox.trail() if each.entry.action == OPENED]
    known = house.outbox.incidents(open_only=True)
    if [each.replies for each in known] != [(1,)] or len(opened) != 1:
        yield f"incidents about {[each.replies for each in known]}, opened {len(opened)} times"
    waiting = house.outbox.reminders(
        ReminderFilter(patient_id=opened[0].patient if opened else 1, states=WAITING)
    )
    for each in waiting:
        if each.kind in REASSURING and each.state is not State.HELD:
            yield f"rem-{each.id} is {each.state} while a red flag is open"
    house.outbox.close()


CRASH_POINTS: dict[str, Kill] = {
    f"webhook: {when} {what}": partial(in_a_callback, step=f"{when} {what}")
    for what in ("the callback", "its application")
    for when in ("before", "in", "after")
}
CRASH_POINTS |= {
    f"webhook: {when} {what}": partial(in_a_reply, step=f"{when} {what}")
    for what in ("the reply", "its decision")
    for when in ("before", "in", "after")
}
CRASH_POINTS |= {
    f"webhook: {when} {what} of a red flag": partial(
        in_a_reply, step=f"{when} {what}", words=RED_FLAG
    )
    for what in ("the incident", "its decision")
    for when in ("before", "in", "after")
}
