"""Runs the examples on the pages, so that what they show is what happens.

The blocks of one page are one sitting, in an empty folder and before a terminal:

- `console INSTANT` types what stands after each `$` and shows the answer; without an instant the
  clock stands where it stood. Beside reminderd it knows `cd`, `cat` and `ls`.
- A block of another language with a file name is written to that file: `csv patients.csv`.
- `reply NUMBER`: a text message with these words comes from that number, and is decided on.
- Each may stand in a comment, `<!-- console INSTANT`: then readers do not see it.
"""

import io
import logging
import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from reminderd.bootstrap import load_settings, open_house
from reminderd.cli.app import app
from reminderd.clock import SystemClock
from reminderd.incoming import Replies
from reminderd.interfaces import Reply

HOME = "/home/alba"  # what readers see instead of the folder of the sitting
COLUMNS = 100
_BLOCK = re.compile(r"^(```|<!-- )(\w+)(?: (\S+))?\n(.*?)^(```|-->)$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)$", re.MULTILINE)
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_LOG_TIME = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ", re.MULTILINE)
_RANDOM = re.compile(r"(?<=msg-)(\d+)-[0-9a-f]{12}")


@dataclass
class Sitting:
    """Somebody at a terminal, in an empty folder; `at` is what the clock on the wall says."""

    folder: Path
    at: datetime = datetime(2026, 3, 27, 9, tzinfo=UTC)
    here: Path = field(init=False)

    def __post_init__(self) -> None:
        self.folder = self.here = self.folder.resolve()

    def types(self, line: str) -> str:
        """What the terminal shows for one line of input, with its colours."""
        program, *words = shlex.split(line.replace("\\\n", " "))
        match program:
            case "cd":
                self.here = (self.here / words[0]).resolve()
                return ""
            case "cat":
                files = sorted(self.here.glob(words[0]))
                return self._shown("".join(each.read_text("utf-8") for each in files))
            case "ls":
                names = sorted(each.name for each in (self.here / words[0]).iterdir())
                return self._shown("".join(f"{name}\n" for name in names))
            case "reminderd":
                return self._shown(self._calls(words))
        raise ValueError(f"an example calls {program}, which it cannot")

    def writes(self, name: str, text: str) -> None:
        """Put a file of that name into the present folder."""
        (self.here / name).write_text(text, encoding="utf-8")

    def hears(self, number: str, words: str) -> None:
        """Somebody texts the clinic, and the daemon decides what is done about it."""
        house = open_house(load_settings(self.here / "config" / "reminderd.toml", {}))
        reply = Reply(f"SM{words}", number, "+34910000000", words)
        with closing(house.outbox) as outbox:
            with outbox.transaction():
                outbox.keep_reply("twilio", reply, self.at)
            Replies(outbox, house.decide).apply(None, self.at)

    def _calls(self, words: list[str]) -> str:
        page = io.BytesIO()
        with self._terminal(page):
            try:
                app.main(words, prog_name="reminderd")
            except SystemExit:
                sys.stdout.flush()
        return page.getvalue().decode()

    @contextmanager
    def _terminal(self, page: io.BytesIO) -> Iterator[None]:
        at = self.at
        environ = {"COLUMNS": str(COLUMNS), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        environ["LOGNAME"] = "alba"
        with ExitStack() as stack:
            stack.enter_context(_as_it_was())
            stack.enter_context(patch.object(SystemClock, "now", lambda _: at))
            stack.enter_context(patch.dict(os.environ, environ, clear=True))
            stack.enter_context(patch.object(sys, "stdin", io.StringIO()))
            stack.enter_context(patch.object(sys, "stdout", _Screen(page)))
            stack.enter_context(patch.object(sys, "stderr", _screen_for_notes(page)))
            os.chdir(self.here)
            yield

    def _shown(self, text: str) -> str:
        """As on a machine whose clock is the sitting's, in the home of its user."""
        text = _LOG_TIME.sub(f"{self.at:%Y-%m-%d %H:%M:%S},000 ", text)
        return _RANDOM.sub(r"\1-3f9c1d2e4b5a", text.replace(str(self.folder), HOME))


class _Screen(io.TextIOWrapper):
    """A terminal that keeps what is written on it."""

    def __init__(self, page: io.BytesIO) -> None:
        super().__init__(page, encoding="utf-8", newline="\n", write_through=True)

    def isatty(self) -> bool:
        return True

    def close(self) -> None:
        """The page outlives the screen."""


def _screen_for_notes(page: io.BytesIO) -> io.TextIOWrapper:
    """The same page for what goes to stderr, without what is drawn and wiped out again."""
    screen = _Screen(page)
    screen.isatty = lambda: False  # type: ignore[method-assign]
    return screen


@contextmanager
def _as_it_was() -> Iterator[None]:
    """Leave folder, umask and log of this process as they were."""
    folder, mask, root = Path.cwd(), os.umask(0o022), logging.getLogger()
    handlers, level, own = list(root.handlers), root.level, logging.getLogger("reminderd").level
    try:
        yield
    finally:
        os.chdir(folder)
        os.umask(mask)
        root.handlers, root.level = handlers, level
        logging.getLogger("reminderd").setLevel(own)


def plain(text: str) -> str:
    """What a terminal shows, without colours and the space around it."""
    lines = (line.rstrip() for line in _ANSI.sub("", text).splitlines())
    return "\n".join(lines).strip("\n")


def filled(page: str) -> str:
    """The page with the answer of today's program below every command."""
    with TemporaryDirectory() as folder:
        sitting = Sitting(Path(folder))
        return _BLOCK.sub(lambda block: _filled_block(block, sitting), page)


def _filled_block(block: re.Match[str], sitting: Sitting) -> str:
    opening, language, argument, body, _ = block.groups()
    if language == "reply":
        sitting.hears(argument, body.strip())
    elif language != "console" and argument:
        sitting.writes(argument, body)
    if language != "console":
        return block[0]
    if argument:
        sitting.at = datetime.fromisoformat(argument)
    sitting_down = [_typed(command, sitting) for command in _COMMAND.findall(body)]
    if opening != "```":
        return block[0]
    return block[0].replace(body, "\n".join(sitting_down))


def _typed(command: str, sitting: Sitting) -> str:
    """A command, and below it the answer."""
    answer = plain(sitting.types(command))
    return f"$ {command}\n{answer}\n" if answer else f"$ {command}\n"
