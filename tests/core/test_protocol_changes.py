"""What a doctor reads before signing again: every change of the file, in words."""

import json
from pathlib import Path

import pytest

from reminderd import protocol_changes
from reminderd.protocol_changes import Fate, when
from reminderd.protocols import document
from reminderd.texts import Texts, read_sources
from tests.core.desk import rule

HEAD = 'key = "care"\ntitle = "Care"\nrevision = 1\nsources = { S1 = "A leaflet" }\n'
COURSE = '[course]\nintervals = ["7d", "14d"]\n'
BAN = rule("no-exercise", "restriction", after="0m", holds="48h", topics=["exercise"], source="S1")
CLEAR = rule("exercise-again", "release", after="48h", topics=["exercise"])
NOTE = rule("note", after="1h")


def told(was: str, now: str) -> list[str]:
    """The differences between two files, as they are printed."""
    before, after = (json.loads(document(each, "care.toml")) for each in (was, now))
    return [str(each) for each in protocol_changes.rules(before, after)]


def file(*milestones: str, head: str = HEAD, course: str = COURSE) -> str:
    return "\n\n".join([head, course, *milestones])


def test_the_same_file_in_another_layout_reads_the_same() -> None:
    was = file(BAN, CLEAR)
    now = file(BAN, CLEAR).replace("\n\n", "\n\n\n# A comment\n").replace("title", "title  ")
    assert told(was, now) == []


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('holds = "48h"', 'holds = "72h"', "no-exercise: holds 48h → 72h"),
        ('after = "0m"', 'before = "2h"', "no-exercise: when 0m after → 2h before"),
        ('after = "0m"', 'day = 0\nat = "09:00"', "no-exercise: when 0m after → day 0, 09:00"),
        ('"exercise"]', '"exercise", "sport"]', "no-exercise: topics exercise → exercise, sport"),
        ('holds = "48h"', 'holds = "48h"\nquiet = "drop"', "no-exercise: quiet hours defer → drop"),
        (
            'holds = "48h"',
            'holds = "48h"\nquiet = "defer"',
            "no-exercise: quiet hours defer, as before but written otherwise",
        ),
        ('holds = "48h"', 'holds = "48h"\ntemplate = "b"', "no-exercise: text no-exercise → b"),
        (
            'holds = "48h"',
            'holds = "48h"\nchannels = ["sms"]\nonly_for = ["face"]',
            "no-exercise: channels any → sms|no-exercise: only for everybody → face",
        ),
        ('holds = "48h"', 'holds = "48h"\nnote = "As read"', "no-exercise: note none → As read"),
        ('source = "S1"', "", "no-exercise: source S1 → none"),
        ('expires = "12h"', 'expires = "24h"', "no-exercise: expires 12h → 24h"),
        ("revision = 1", "revision = 2", "revision 1 → 2"),
        ('title = "Care"', 'title = "Peel"', "title Care → Peel"),
        ('"A leaflet"', '"A book"', "source S1 A leaflet → A book"),
        ('"A leaflet"', '"A leaflet", S2 = "A book"', "source S2 added: A book"),
        ('"7d", "14d"', '"7d"', "course intervals 7d, 14d → 7d"),
        (COURSE, f"{COURSE}sessions = [3, 10]\n", "course sessions added: 3, 10"),
        (COURSE, "", "course intervals removed: 7d, 14d"),
    ],
)
def test_every_change_is_told(before: str, after: str, says: str) -> None:
    was = file(BAN, CLEAR)
    assert before in was
    assert told(was, was.replace(before, after, 1)) == says.split("|")


def test_a_milestone_that_came_or_went_is_told_in_full() -> None:
    assert told(file(BAN), file(BAN, NOTE)) == [
        "note: milestone added: inform, note, 1h after, expires 12h"
    ]
    assert told(file(BAN, NOTE), file(NOTE)) == [
        "no-exercise: milestone removed: restriction, exercise, 0m after, holds 48h, expires 12h, "
        "source S1"
    ]


def test_another_order_is_told() -> None:
    assert told(file(BAN, NOTE), file(NOTE, BAN)) == [
        "order of the milestones no-exercise, note → note, no-exercise"
    ]


def test_a_timing_is_read_like_a_sentence() -> None:
    assert when({"lead": "-2d", "at": "10:00"}) == "-2d from the next session, 10:00"
    assert when({"days": [1, 5], "at": "09:00"}) == "days 1 to 5, 09:00"


# Texts --------------------------------------------------------------------------------------------


def test_a_changed_text_shows_the_lines_that_changed() -> None:
    was = {"en/a": "1\n2\n3\n4\n5\n", "es/a": "uno\n", "en/gone": "old\n"}
    now = {"en/a": "1\n2\nthree\n4\n5\n", "es/a": "uno\n", "en/new": "new\n"}
    changed, gone, added = protocol_changes.texts(was, now)
    assert (changed.name, changed.fate) == ("en/a", Fate.CHANGED)
    assert changed.lines == ("@@ -2,3 +2,3 @@", " 2", "-3", "+three", " 4")
    assert (gone.name, gone.fate, gone.lines[1:]) == ("en/gone", Fate.REMOVED, ("-old",))
    assert (added.name, added.fate, added.lines[1:]) == ("en/new", Fate.ADDED, ("+new",))


def test_what_a_signature_covers_can_be_read_back_file_by_file(tmp_path: Path) -> None:
    for language, name, text in [("en", "a", "A\n=== \n"), ("es", "a", ""), ("en", "b", "B")]:
        (tmp_path / language).mkdir(exist_ok=True)
        (tmp_path / language / f"{name}.j2").write_text(text)
    read = read_sources(Texts([tmp_path]).sources(["a"]))
    assert read == {"en/a": "A\n=== \n\n", "es/a": "\n"}
    assert read_sources("") == {}
