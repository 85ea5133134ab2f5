"""Replies with what they mean, as data, and what the rules make of them."""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from reminderd.replies.files import load
from reminderd.replies.reading import Reading, read
from reminderd.replies.words import RED_FLAGS, Meaning, ReplyRules
from reminderd.resources import replies_dir

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
HELD_OUT = HERE / "held_out"
RULES: ReplyRules = load([replies_dir()])


class Reply(NamedTuple):
    """What somebody wrote in a language, and everything that has to be found in it."""

    language: str
    text: str
    expected: tuple[Meaning, ...]  # what matters most first

    def read(self) -> Reading:
        """As the rules read it."""
        return read(self.text, RULES, [self.language])


def replies(folder: Path) -> list[Reply]:
    """All replies in the files of a folder, one for each language."""
    return [each for path in sorted(folder.glob("*.toml")) for each in _in(path)]


def _in(path: Path) -> Iterator[Reply]:
    for expected, texts in tomllib.loads(path.read_text(encoding="utf-8"))["replies"].items():
        meanings = tuple(Meaning(each) for each in expected.split())
        yield from (Reply(path.stem, text, meanings) for text in texts)


def missed(each: Reply) -> bool:
    """Whether a red flag in it is not found, or an emergency is only called urgent."""
    if each.expected[0] not in RED_FLAGS:
        return False
    return list(Meaning).index(each.read().meaning) > list(Meaning).index(each.expected[0])


def wrong(many: Iterable[Reply]) -> list[tuple[Reply, Reading]]:
    """Those of which not everything is found, or something else is found to matter most."""
    readings = [(each, each.read()) for each in many]
    return [
        (each, reading)
        for each, reading in readings
        if reading.meaning is not each.expected[0]
        or not all(reading.means(meaning) for meaning in each.expected)
    ]
