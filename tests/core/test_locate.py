"""A path in a TOML text leads to the line on which a person finds it."""

import pytest

from reminderd.locate import KeyPath, line_of, lines

TEXT = '''# a comment with [brackets] and "quotes
title = "one # not a comment [x]"
[clinics.main]
name = "A"
"odd key" . 'other' = 1
hours = [
  "21:00", # a comment, with a comma
  { from = 1, to = [2,
                    3] },
]
text = """
key = "not a key"
[not.a.table] ""
"""
raw = \'\'\'C:\\\'\'\'
after = 2026-03-28T14:30:00.5Z

[[milestones]]
id = "first"
[[milestones]]
id = "second"
note.short = 1
[milestones.extra]
deep = true
[other]
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("clinics",), 3),
        (("clinics", "main"), 3),
        (("clinics", "main", "name"), 4),
        (("clinics", "main", "odd key", "other"), 5),
        (("clinics", "main", "hours"), 6),
        (("clinics", "main", "hours", 0), 7),
        (("clinics", "main", "hours", 1), 8),
        (("clinics", "main", "hours", 1, "to", 1), 9),
        (("clinics", "main", "text"), 11),
        (("clinics", "main", "raw"), 15),
        (("clinics", "main", "after"), 16),
        (("milestones",), 18),
        (("milestones", 0, "id"), 19),
        (("milestones", 1), 20),
        (("milestones", 1, "id"), 21),
        (("milestones", 1, "note", "short"), 22),
        (("milestones", 1, "extra", "deep"), 24),
        (("other",), 25),
    ],
)
def test_a_path_leads_to_its_line(path: KeyPath, line: int) -> None:
    assert lines(TEXT)[path] == line


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("nowhere",), 1),
        (("clinics", "main", "missing"), 3),
        (("milestones", 1, "missing", "deeper"), 20),
    ],
)
def test_what_is_missing_leads_to_the_table_that_lacks_it(path: KeyPath, line: int) -> None:
    assert line_of(lines(TEXT), path) == line


def test_what_stands_inside_a_text_is_no_key() -> None:
    found = lines(TEXT)
    assert ("not", "a", "table") not in found
    assert ("clinics", "main", "key") not in found


def test_windows_line_ends_count_once() -> None:
    assert lines("a = 1\r\nb = 2\r\n")[("b",)] == 2
