"""Kills a real process while it sends, lets the next one recover, and looks at what became of it.

`CRASH_POINTS` names every point at which a process is killed; `kill` does it once.
"""

import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from signal import SIGKILL
from tempfile import TemporaryDirectory

from reminderd.bootstrap import House
from reminderd.interfaces import ReminderFilter
from reminderd.model import State
from tests.fakes.smtp_server import HANG
from tests.fakes.twilio_server import hang
from tests.faults import alert_kills, answer_kills, desk_kills, hook_kills
from tests.faults.checker import CANARIES, wrongs
from tests.faults.desk_kills import Findings
from tests.faults.forks import Fork, Job, run
from tests.faults.scenes import START, Scene
from tests.faults.steps import REQUEST
from tests.faults.window import why_not
from tests.waiting import until

SENDING = tuple(
    f"{when} {what}" for what in ("the claim", "the mark", "the record")
    for when in ("before", "in", "after")
)  # fmt: skip
WIRE = ("request written", "provider accepted")  # the answer is still on its way
SOON = timedelta(seconds=1)
NEXT_START = [SOON] * 6 + [timedelta(hours=3), timedelta(hours=8), timedelta(hours=26)]
LATER = [  # doubts are settled or unknown; the night is over; and once more for its doubts
    timedelta(seconds=1), timedelta(seconds=32), timedelta(seconds=3611), timedelta(hours=19),
    timedelta(hours=21),
]  # fmt: skip
Kill = Callable[[Scene], tuple[Findings, bool]]


def kill(point: str, seed: int, folder: Path) -> tuple[list[str], str]:
    """Every promise that a kill at this point broke, and whether it was killed there."""
    found, killed = CRASH_POINTS[point](Scene(folder, seed))
    return list(found), "killed" if killed else "not reached"


def in_sending(scene: Scene, point: str) -> tuple[Findings, bool]:
    """`run --once` dies, and the next one too where chance has it so."""
    job = scene.job("run", "--once", step=point, number=_number(scene, point))
    killed = _on_the_wire(scene, job) if point in WIRE else run(job) == -SIGKILL
    return _recovered(scene), killed


def _number(scene: Scene, step: str) -> int:
    """At the first passing of a step, or at the second where there is one."""
    again = scene.texts and scene.count > scene.concurrency and "claim" not in step
    return scene.chance.randint(1, 2) if again else 1


def standing(scene: Scene, *, asleep: bool) -> tuple[Findings, bool]:
    """`run`, which goes on until it is killed: at any step while it sends, or asleep after it."""
    if not asleep:
        step = scene.chance.choice((*SENDING, *REQUEST))
        job = scene.job("run", step=step, number=_number(scene, step))
        child = Fork(job)
        until(lambda: child.has_ended() or scene.is_all_sent(START), step)
        killed = child.has_ended()
        if killed:
            killed = child.ends() == -SIGKILL
        else:
            child.kill()
        return _recovered(scene), killed
    child = Fork(scene.job("run"))
    until(lambda: scene.is_all_sent(START), "everything is sent")
    return _recovered(scene), child.kill() == -SIGKILL


def _on_the_wire(scene: Scene, job: Job) -> bool:
    """Killed while the provider keeps it waiting for an answer."""
    accepts = job.step == "provider accepted"
    if scene.texts:
        scene.twilio.script(hang(accept=accepts))
    else:
        scene.smtp.script("dot" if accepts else "body", HANG)
    child = Fork(job)
    until(lambda: _waits(scene, accepts=accepts) or child.has_ended(), job.step)
    killed = not child.has_ended() and child.kill() == -SIGKILL
    scene.twilio.stop_hanging()
    scene.smtp.script_nothing()
    return killed


def _waits(scene: Scene, *, accepts: bool) -> bool:
    if scene.texts:
        return bool(scene.twilio.messages if accepts else scene.twilio.requests)
    return bool(scene.smtp.mails) if accepts else scene.smtp.has_passed("body")


# What became of it -------------------------------------------------------------------------------


def _recovered(scene: Scene) -> Findings:
    """Start again, perhaps much later, until nothing is open any more; every broken promise."""
    scene.taken(START, killed=True)
    began = START + scene.chance.choice(NEXT_START)
    if scene.chance.random() < 0.25:
        scene.types("run", "--once", at=began, step=scene.chance.choice(SENDING))
    for later in LATER:
        if later == LATER[0] or _is_open(scene):
            code = scene.types("run", "--once", at=began + later)
            if code not in (0, 75):
                yield f"the next process ended with {code}: {scene.log[-500:]}"
    house = scene.house()
    yield from _what_became(scene, house)
    house.outbox.close()


def _is_open(scene: Scene) -> bool:
    return bool(
        scene.look(
            "SELECT 1 FROM reminders WHERE state = 'sending' "
            "OR (state = 'scheduled' AND due_at <= ?) LIMIT 1",
            (int(START.timestamp() * 1000),),
        )
    )


def _what_became(scene: Scene, house: House) -> Findings:
    outbox, ledger = house.outbox, scene.ledger(house)
    yield from wrongs(outbox, ledger, set(), START)
    due = [
        each
        for each in outbox.reminders(ReminderFilter())
        if each.due_at is not None and each.due_at <= START
    ]
    for each in due:
        if each.state in (State.SCHEDULED, State.SENDING):
            yield f"rem-{each.id}: lost: {each.state}"
    unknown = {each.patient_id for each in due if each.state is State.UNKNOWN}
    if len(unknown) > 2 * max(scene.concurrency, 4):  # as many as leave side by side, in two kills
        yield f"in doubt: {len(unknown)} messages"
    for entry in ledger.entries:
        rows = outbox.query(
            "SELECT reminder, patient FROM message_reminders JOIN messages "
            "ON messages.id = message WHERE message = ?",
            (entry.message,),
        )
        if rows:
            yield from why_not(house.intake.chart(rows[0][1]), {row[0] for row in rows}, entry.at)
    yield from kept(scene, house)


def kept(scene: Scene, house: House) -> Findings:
    """Everybody who was taken in is there, and no name or number is in the log."""
    if (found := len(house.outbox.sessions())) != scene.count:
        yield f"{scene.count} sessions were acknowledged, and there are {found}"
    yield from (f"the log says {each}" for each in CANARIES if each in scene.log)


CRASH_POINTS: dict[str, Kill] = {
    **{step: partial(in_sending, point=step) for step in (*SENDING, *REQUEST, *WIRE)},
    "the loop, asleep": partial(standing, asleep=True),
    "the loop, sending": partial(standing, asleep=False),
    **desk_kills.CRASH_POINTS,
    **hook_kills.CRASH_POINTS,
    **answer_kills.CRASH_POINTS,
    **alert_kills.CRASH_POINTS,
}


if __name__ == "__main__":
    with TemporaryDirectory() as name:
        print(*kill(sys.argv[1], int(sys.argv[2]), Path(name))[0], sep="\n")
