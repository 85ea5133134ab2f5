"""The page about replies says what the rules are, what replies can mean, and how well it goes."""

import re

from reminderd.replies.words import Meaning
from tests.replies.table import PAGE, filled

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_tables_on_the_page_are_those_of_today() -> None:
    assert filled(TEXT) == TEXT, "run: python -m tests.replies.table"


def test_every_meaning_is_explained_and_no_other() -> None:
    section = TEXT.partition("\n## Meanings\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE) == list(Meaning)
