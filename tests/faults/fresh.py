"""Kills of the command itself, as installed: a fresh process, the real clock, nothing wrapped.

Where it dies is a matter of what the providers have seen by then, so a seed does not replay.
"""

import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.end_to_end.clinic import COMMAND
from tests.fakes.smtp_server import HANG
from tests.fakes.twilio_server import hang
from tests.faults.checker import CANARIES, wrongs
from tests.faults.scenes import Scene
from tests.waiting import until

MOMENTS = ("asleep", "waiting for an answer", "accepted, not yet told", "in the middle of it")
UNSETTLED = ("still sending when all is over", "accepted, and it is sending")  # for half a minute


def kill(seed: int, moment: str, folder: Path) -> list[str]:
    """Every promise that was broken as `reminderd run` was killed at that moment."""
    now = datetime.now(UTC).replace(microsecond=0)
    scene = Scene(folder, seed, now=now, quiet="00:00-00:00")
    scene.twilio.now = lambda: datetime.now(UTC)
    _arrange(scene, moment)
    with _running(scene, "run") as process:
        try:
            until(lambda: _has_come(scene, moment), f"{moment}: {scene.log[-2000:]}")
            found = list(_shown_to_everybody(process.pid))
        finally:
            process.kill()
    scene.twilio.stop_hanging()
    scene.smtp.script_nothing()
    scene.taken(now, killed=True)
    with _running(scene, "run", "--once") as process:
        code = process.wait(60)
    scene.taken(now)
    return [*found, *_what_became(scene, now, code)]


def _running(scene: Scene, *words: str) -> subprocess.Popen[bytes]:
    with scene.config.with_name("log").open("ab") as log:
        command = [*COMMAND, "--config", str(scene.config), *words]
        return subprocess.Popen(command, stdout=log, stderr=log)


def _arrange(scene: Scene, moment: str) -> None:
    """The provider keeps one request waiting, where that is the moment."""
    accepts = moment == "accepted, not yet told"
    if moment not in ("waiting for an answer", "accepted, not yet told"):
        return
    if scene.texts:
        scene.twilio.script(hang(accept=accepts))
    else:
        scene.smtp.script("dot" if accepts else "body", HANG)


def _has_come(scene: Scene, moment: str) -> bool:
    accepted = len(scene.twilio.messages if scene.texts else scene.smtp.mails)
    match moment:
        case "waiting for an answer":
            return bool(scene.twilio.requests) if scene.texts else scene.smtp.has_passed("body")
        case "asleep":
            return accepted >= scene.count and scene.is_all_sent(datetime.now(UTC))
    return accepted >= 1


def _shown_to_everybody(number: int) -> Iterator[str]:
    """What any user of the machine, or of the account, can see of a process."""
    for name in ("cmdline", "comm", "environ"):
        shown = Path(f"/proc/{number}/{name}").read_bytes().decode(errors="replace")
        yield from (f"/proc/…/{name} shows {each}" for each in CANARIES if each in shown)


def _what_became(scene: Scene, now: datetime, code: int) -> Iterator[str]:
    if code not in (0, 75):
        yield f"the next process ended with {code}"
    house = scene.house()
    found = wrongs(house.outbox, scene.ledger(house), set(), now.replace(year=2020))
    yield from (each for each in found if not each.endswith(UNSETTLED))
    if (count := len(house.outbox.sessions())) != scene.count:
        yield f"{scene.count} sessions were acknowledged, and there are {count}"
    house.outbox.close()
    yield from (f"the log says {each}" for each in CANARIES if each in scene.log)


def report(seeds: int) -> int:
    """Each moment with so many seeds, one after the other."""
    broken = Counter[str]()
    for moment in MOMENTS:
        for seed in range(seeds):
            with tempfile.TemporaryDirectory(prefix="reminderd-fresh-") as folder:
                found = kill(seed, moment, Path(folder))
            broken[moment] += bool(found)
            print(*(f"{moment}, seed {seed}: {each}" for each in found), sep="\n", end="")
        print(f"{moment:32}{seeds:>6} kills {broken[moment]:>6} broken", flush=True)
    return int(broken.total() > 0)
