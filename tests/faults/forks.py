"""Processes forked from one that has no threads and everything loaded, so that a kill is cheap.

python -m tests.faults.forks      # reads one job a line (JSON), answers with pid and exit code
"""

import faulthandler
import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import traceback
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import StringIO
from pathlib import Path
from select import select
from signal import SIGKILL
from typing import IO, Any

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 180  # a busy machine is no broken promise
STUCK_SECONDS = 150  # then it says where it is


@dataclass(frozen=True)
class Job:
    """A command to type at `now`, in a process that dies at the `number`-th passing of `step`."""

    config: Path
    now: datetime
    words: tuple[str, ...]
    step: str = ""
    number: int = 1

    @property
    def log(self) -> Path:
        return self.config.with_name("log")

    def line(self) -> str:
        given = (str(self.config), self.now.isoformat(), list(self.words), self.step, self.number)
        return json.dumps(given) + "\n"

    @classmethod
    def parse(cls, line: str) -> "Job":
        config, now, words, step, number = json.loads(line)
        return cls(Path(config), datetime.fromisoformat(now), tuple(words), step, number)


class Fork:
    """A process that does one job; the next is forked only when this one has ended."""

    def __init__(self, job: Job) -> None:
        self._mother, self._job = _mother(), job
        self.pid = int(self._mother.ask(job.line()))

    def ends(self) -> int:
        """Its exit code, negative for a signal; it is killed when it takes too long."""
        try:
            return int(self._mother.hear())
        except TimeoutError as error:
            with suppress(ProcessLookupError):
                os.kill(self.pid, SIGKILL)
            said = self._job.log.read_text()[-4000:]
            raise TimeoutError(f"{' '.join(self._job.words)}: {error}\n{said}") from error

    def has_ended(self) -> bool:
        """Whether it is gone; `ends` tells how, at once."""
        return self._mother.has_answer()

    def kill(self) -> int:
        """Kill it (SIGKILL) and wait until it is gone; one that has ended keeps its exit code."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, SIGKILL)
        return int(self._mother.hear())


def run(job: Job) -> int:
    """The exit code of the process that did this job."""
    return Fork(job).ends()


class _Mother:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forks"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, cwd=ROOT,
        )  # fmt: skip
        self._heard = b""  # its next answer may come together with this one

    def ask(self, line: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode())
        return self.hear()

    def hear(self) -> str:
        assert self._process.stdout is not None
        while b"\n" not in self._heard:
            if not select([self._process.stdout], [], [], LONGEST_SECONDS)[0]:
                # Whatever it still answers belongs to no question any more: the next asks another.
                self._process.kill()
                _mother.cache_clear()
                raise TimeoutError("a process does not come to its end")
            said = self._process.stdout.read(1024)
            if not said:
                raise EOFError("whoever forks has ended")
            self._heard += said
        line, _, self._heard = self._heard.partition(b"\n")
        return line.decode()

    def has_answer(self) -> bool:
        assert self._process.stdout is not None
        return b"\n" in self._heard or bool(select([self._process.stdout], [], [], 0)[0])

    def end(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait(LONGEST_SECONDS)


@cache
def _mother() -> _Mother:
    import atexit

    mother = _Mother()
    atexit.register(mother.end)
    return mother


# In the process that forks -----------------------------------------------------------------------


def serve(jobs: IO[str], answers: IO[str]) -> None:
    """Fork for each job until there are no more."""
    _load_everything()
    gc.freeze()  # else each child copies everything as it counts its references
    assert threading.active_count() == 1, "a fork keeps no thread but its own"
    for line in iter(jobs.readline, ""):
        pid = os.fork()
        if pid == 0:
            _be_the_child(Job.parse(line))
        print(pid, file=answers, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


def _be_the_child(job: Job) -> None:
    from tests.faults.crash import run

    code: Any = 1
    try:
        with open(os.devnull) as nothing, job.log.open("ab") as log:
            os.dup2(nothing.fileno(), 0)
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        faulthandler.dump_traceback_later(STUCK_SECONDS)
        run(job)
        code = 0
    except SystemExit as ended:
        code = ended.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(Exception):
                stream.flush()
        os._exit(code if isinstance(code, int) else 1)


def _load_everything() -> None:
    """Do all of it once: what that loads and compiles is kept for every child."""
    from twilio.rest import Client

    import reminderd.web.hooks
    import reminderd.web.server  # noqa: F401
    from tests.faults.crash import run
    from tests.faults.scenes import START, first_day, roster

    client: Any = Client("AC" + "0" * 32, "a-token")
    assert client.messages is not None
    with (
        tempfile.TemporaryDirectory() as name,
        redirect_stdout(StringIO()),
        redirect_stderr(StringIO()),
    ):
        folder = Path(name)
        config = first_day(folder).path
        copy = str(folder / "copy.db")
        for words in (
            ("run", "--once"), ("patient", "import", str(roster(folder, 1))),
            ("patient", "consent", "pat-1", "--channels=sms", "--withdraw", "--source=phone"),
            ("patient", "erase", "pat-1", "--by=Ana", "--yes"), ("db", "backup", copy),
            ("db", "restore", copy), ("db", "encrypt"),
        ):  # fmt: skip
            with suppress(SystemExit):
                run(Job(config, START, words))


if __name__ == "__main__":
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        serve(sys.stdin, answers)
