"""Kills a daemon while it answers a red flag: whoever wrote is told once at most, and it is known.

The answer is made, marked, handed over and recorded by the same process that hears of the reply.
"""

from datetime import timedelta
from functools import partial
from signal import SIGKILL

from reminderd.words import AnswerState
from tests.fakes.twilio_server import hang
from tests.faults.answers import on_record
from tests.faults.checker import CANARIES, wrongs
from tests.faults.desk_kills import Findings, Found, Kill
from tests.faults.forks import Fork
from tests.faults.hook_kills import RED_FLAG, has_asked, writes
from tests.faults.scenes import START, Scene
from tests.waiting import until

LATER = [timedelta(seconds=1), timedelta(seconds=90), timedelta(hours=2), timedelta(hours=13)]
# How many the provider has, and what is on record, once everything is over.
AFTERWARDS = {
    "before the answer's mark": (1, AnswerState.SENT),
    "in the answer's mark": (1, AnswerState.SENT),
    "after the answer's mark": (0, AnswerState.UNKNOWN),
    "the answer accepted": (1, AnswerState.SENT),
    "before the answer's record": (1, AnswerState.SENT),
    "in the answer's record": (1, AnswerState.SENT),
    "after the answer's record": (1, AnswerState.SENT),
}


def in_an_answer(scene: Scene, step: str) -> Found:
    """It dies at that step, or while the provider keeps it waiting; the next ones recover."""
    scene.prefer_texts()
    port = scene.listens()
    on_the_wire = step == "the answer accepted"
    child = Fork(scene.job("run", step="" if on_the_wire else step))
    until(lambda: has_asked(scene), "every answer is on record")
    before = len(scene.twilio.messages)
    if on_the_wire:
        scene.twilio.script(hang(accept=True))
    writes(scene, port, RED_FLAG)
    if on_the_wire:
        until(lambda: len(scene.twilio.messages) > before, step)
    else:
        until(child.has_ended, step)
    killed = (child.kill() if on_the_wire else child.ends()) == -SIGKILL
    scene.twilio.stop_hanging()
    scene.taken(START, killed=True)
    for later in LATER:
        scene.types("run", "--once", at=START + later)
    return list(_what_became(scene, step)), killed


def _what_became(scene: Scene, step: str) -> Findings:
    house = scene.house()
    answers = list(on_record(house.outbox).values())
    accepted, state = AFTERWARDS[step]
    if [each.state for each in answers] != [state]:
        yield f"killed {step}: {[each.state for each in answers]} is on record, and not {state}"
    for each in answers:
        told = [
            m for m in scene.twilio.messages if (m["to"], m["body"]) == (each.number, each.text)
        ]
        if len(told) != accepted:
            yield f"killed {step}: {len(told)} are with the provider, and not {accepted}"
        if each.state is AnswerState.SENT and each.provider_id not in [m["sid"] for m in told]:
            yield f"killed {step}: on record is {each.provider_id}"
    yield from wrongs(house.outbox, scene.ledger(house), set(), START)
    yield from (f"the log says {each}" for each in CANARIES if each in scene.log)
    house.outbox.close()


CRASH_POINTS: dict[str, Kill] = {
    f"answer: {step}": partial(in_an_answer, step=step) for step in AFTERWARDS
}
