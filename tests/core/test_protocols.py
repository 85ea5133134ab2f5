"""Protocol files: what they may say, and how every mistake in one is reported at once."""

import re
from datetime import time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminderd import protocols
from reminderd.errors import FaultsFound
from reminderd.model import (
    Channel,
    Course,
    CourseLead,
    Duration,
    Elapsed,
    Kind,
    Milestone,
    OnDays,
    QuietPolicy,
)
from tests.core.protocol_file import (
    COURSE,
    HEAD,
    KEYS,
    PACKAGED,
    faults,
    milestone,
    restriction,
    the_milestone,
)


@pytest.mark.parametrize(
    ("values", "timing"),
    [
        ({"after": "90m"}, Elapsed(timedelta(minutes=90))),
        ({"after": None, "before": "48h"}, Elapsed(timedelta(hours=-48))),
        ({"after": None, "day": 2, "at": "09:00"}, OnDays(2, 2, time(9))),
        ({"after": None, "day": -2, "at": "23:30"}, OnDays(-2, -2, time(23, 30))),
        ({"after": None, "days": [1, 5], "at": "18:00"}, OnDays(1, 5, time(18))),
        (
            {"kind": "course", "after": None, "lead": "-2d", "at": "10:00"},
            CourseLead(-2, time(10)),
        ),
    ],
)
def test_each_timing_means_what_it_says(values: dict[str, object], timing: object) -> None:
    assert the_milestone(milestone(**values)).timing == timing


def test_what_is_left_out_has_its_default() -> None:
    tip = the_milestone(milestone())
    assert tip.template == "tip"
    assert tip.quiet is QuietPolicy.DEFER
    assert tip.channels is None
    assert tip.only_for == frozenset()


def test_every_key_of_a_milestone_is_read() -> None:
    text = restriction(
        quiet="ignore",
        template="other",
        channels=["email"],
        only_for=["face"],
        source="S",
        note="n",
    )
    assert the_milestone(text) == Milestone(
        id="tip",
        kind=Kind.RESTRICTION,
        topics=frozenset({"tip"}),
        timing=Elapsed(timedelta(0)),
        template="other",
        holds=Duration(12, "h"),
        quiet=QuietPolicy.IGNORE,
        channels=(Channel.EMAIL,),
        only_for=frozenset({"face"}),
        source="S",
        note="n",
    )


def test_a_course_is_read() -> None:
    text = HEAD + '[course]\nsessions = [3, 10]\nintervals = ["7d", "30d"]\n' + milestone()
    course = protocols.parse(text, "care.toml").course
    assert course == Course((Duration(7, "d"), Duration(30, "d")), 3, 10)


FAULTS: list[tuple[str, str]] = [
    # types and unknown keys
    (milestone(expires=3), "10: milestones.tip.expires: must be text in quotes"),
    (milestone(topics="tip"), '8: milestones.tip.topics: must be a list, for example ["a", "b"]'),
    (milestone(topics=[]), "8: milestones.tip.topics: needs at least 1"),
    (milestone(topics=["a", "a"]), "8: milestones.tip.topics: names something twice"),
    (milestone(topics=["a", "A b"]), "8: milestones.tip.topics[2]: must be lower-case words"),
    (milestone(id="No Shower"), "6: milestones[1].id: must be lower-case words"),
    (milestone(id=None), "5: milestones[1].id: is required"),
    (milestone(kind=None), "5: milestones.tip.kind: is required"),
    (milestone(kind="advice"), "7: milestones.tip.kind: must be 'restriction', 'release'"),
    (milestone(expire="1d"), 'expire: is not a known key; did you mean "expires"?'),
    (milestone(quiet="later"), "quiet: must be 'defer', 'advance', 'drop' or 'ignore'"),
    (milestone(channels=["fax"]), "channels[1]: must be 'sms' or 'email'"),
    (milestone(channels=[]), "channels: needs at least 1"),
    (milestone(only_for=[]), "only_for: needs at least 1"),
    (milestone(source="T"), '11: milestones.tip.source: "T" is not one of the sources'),
    # timing
    (milestone(after=None), "after: is missing, or another timing"),
    (milestone(before="2h"), "before: is one timing too many: keep one of after, before"),
    (milestone(after="1d"), 'after: "1d" must be in minutes or hours'),
    (milestone(after="-1h"), 'after: "-1h" must be positive or 0'),
    (milestone(after=None, before="0m"), 'before: "0m" must be more than nothing'),
    (milestone(after="2 hours"), 'after: "2 hours" is not a duration'),
    (milestone(at="10:00"), 'at: does not go with "after"'),
    (milestone(after=None, day=1), 'at: is required with "day"'),
    (milestone(after=None, day=1, at="9:00"), 'at: "9:00" is not a time of day'),
    (milestone(after=None, day=True, at="09:00"), "day: must be a whole number"),
    (milestone(after=None, day=9999, at="09:00"), "day: must be at most 730"),
    (milestone(after=None, days=[3, 1], at="09:00"), "days: the first day, 3, comes after"),
    (milestone(after=None, days=[-1, 1], at="09:00"), "days: both ends must lie before"),
    (milestone(after=None, days=[1], at="09:00"), "days: needs at least 2"),
    (milestone(after=None, lead="-2d", at="09:00"), 'lead: the timing "lead" and the kind'),
    (milestone(kind="course"), 'after: the timing "lead" and the kind "course" need each other'),
    (milestone(kind="course", after=None, lead="-2h", at="09:00"), '"-2h" must be in whole days'),
    # holds and expires
    (milestone(holds="2h"), "holds: is only for a restriction"),
    (restriction(holds=None), "holds: is required on a restriction"),
    (restriction(holds="-2h"), 'holds: "-2h" must be positive or 0'),
    (milestone(expires=None), 'expires: is required with kind "inform"'),
    (milestone(expires="0m"), 'expires: "0m" must be more than nothing'),
    (milestone(expires="9999d"), 'expires: "9999d" is more than 730 days'),
    # releases
    (milestone(kind="release", topics=["a", "b"]), "topics: must be exactly one on a release"),
    (milestone(kind="release", quiet="advance"), 'quiet: "advance" would give the all-clear'),
    # between milestones
    (milestone() + milestone(), '12: milestones[2].id: "tip" is the id of another milestone'),
]


@pytest.mark.parametrize(("text", "expected"), FAULTS)
def test_a_mistake_in_a_milestone_is_named_with_its_line(text: str, expected: str) -> None:
    found = faults(HEAD + text)
    assert [each for each in found if expected in each], found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "1: key: is required"),
        (HEAD, "1: milestones: is required"),
        (HEAD + "milestones = []\n", "5: milestones: needs at least 1"),
        (HEAD + "milestones = 3\n", "5: milestones: must be a list"),
        (HEAD + "milestones = [3]\n", "5: milestones[1]: must be a table"),
        (HEAD.replace('"care"', '"other"') + milestone(), '1: key: "other" must equal the name'),
        (HEAD.replace('"Care"', '""') + milestone(), "2: title: must not be empty"),
        (HEAD.replace("= 1", "= 0") + milestone(), "3: revision: must be at least 1"),
        (HEAD.replace("= 1", "= 1.0") + milestone(), "3: revision: must be a whole number"),
        (
            HEAD + "[course]\nintervals = []\n" + milestone(),
            "6: course.intervals: needs at least 1",
        ),
        (
            HEAD + '[course]\nintervals = ["12h"]\n' + milestone(),
            '6: course.intervals[1]: "12h" must be in whole days',
        ),
        (
            HEAD + COURSE + "sessions = [10, 3]\n" + milestone(),
            "7: course.sessions: must be the usual minimum and maximum",
        ),
        (
            HEAD + milestone(kind="course", after=None, lead="-2d", at="09:00"),
            "7: milestones.tip.kind: needs a table [course]",
        ),
        (HEAD + "[[milestones]\n", "5: is not valid TOML"),
        (HEAD + 'text = "no end\n', "5: is not valid TOML"),
        ("a = " + "[" * 5000, "1: brackets are nested too deeply"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line(text: str, expected: str) -> None:
    found = faults(text)
    assert [each for each in found if each.startswith(expected)], found


def test_every_mistake_is_reported_at_once_in_the_order_of_the_lines() -> None:
    text = (
        HEAD.replace("= 1", "= 0")
        + milestone(kind="release", topics=["a", "b"], holds="1h", expire="1d", expires=None)
        + restriction(id="stop", holds=None, at="09:00", colour="red")
    )
    assert [each.split(": ")[:2] for each in faults(text)] == [
        ["3", "revision"],
        ["5", "milestones.tip.expires"],
        ["8", "milestones.tip.topics"],
        ["10", "milestones.tip.holds"],
        ["11", "milestones.tip.expire"],
        ["12", "milestones.stop.holds"],
        ["17", "milestones.stop.at"],
        ["18", "milestones.stop.colour"],
    ]


def test_the_document_stays_the_same_whatever_the_layout() -> None:
    text = HEAD + milestone()
    other = 'title = "Care" # named\n' + text.replace('title = "Care"\n', "").replace(" = ", "=")
    assert protocols.document(text, "care.toml") == protocols.document(other, "care.toml")
    assert protocols.parse(text, "care.toml").digest == protocols.parse(other, "care.toml").digest


def test_another_content_has_another_digest() -> None:
    one = protocols.parse(HEAD + milestone(), "care.toml")
    two = protocols.parse(HEAD + milestone(expires="2d"), "care.toml")
    assert one.digest != two.digest


@pytest.mark.parametrize("key", KEYS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_damaged_file_is_read_or_refused_with_its_lines(key: str, data: st.DataObject) -> None:
    lines = (PACKAGED / f"{key}.toml").read_text(encoding="utf-8").split("\n")
    values = st.sampled_from(
        ["0", "-1", '""', '"x"', "[]", "[1, 2]", '["a"]', "{}", "true", "1979-05-27", '"0m"', "nan"]
    )
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["drop", "repeat", "value", "letter", "noise"])):
            case "drop":
                lines[place : place + 1] = [""]
            case "repeat":
                lines.insert(place, data.draw(st.sampled_from(lines)))
            case "value":
                lines[place] = lines[place].split("=")[0] + "= " + data.draw(values)
            case "letter":
                lines[place] = lines[place][1:]
            case "noise":
                lines[place] += data.draw(st.text(max_size=5))
    text = "\n".join(lines)
    found: tuple[str, ...] = ()
    try:
        assert protocols.parse(text, f"{key}.toml").key == key
    except FaultsFound as error:
        found = error.faults or ("nothing said",)
    for fault in found:
        assert re.match(rf"{key}\.toml:[1-9]\d*: .", fault, re.DOTALL), fault
