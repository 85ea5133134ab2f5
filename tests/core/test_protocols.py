"""Protocol files: what they may say, and how every mistake in one is reported at once."""

import contextlib
import json
import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminderd import hours, protocols
from reminderd.errors import FaultsFound, NotFound
from reminderd.model import (
    Channel,
    Course,
    CourseLead,
    Duration,
    Elapsed,
    Kind,
    Milestone,
    OnDays,
    QuietHours,
    QuietPolicy,
)
from reminderd.protocols import ProtocolLibrary

PACKAGED = Path(__file__).parents[2] / "config" / "protocols"
KEYS = [
    "mesotherapy",
    "mesotherapy-basic",
    "mesotherapy-course",
    "mesotherapy-facial",
    "mesotherapy-gentle",
]
HEAD = 'key = "care"\ntitle = "Care"\nrevision = 1\nsources = { S = "A document" }\n'
COURSE = '[course]\nintervals = ["7d"]\n'


def milestone(**values: object) -> str:
    """One milestone as TOML: a sound inform, changed by `values`; None takes a key away."""
    table = {"id": "tip", "kind": "inform", "topics": ["tip"], "after": "0m", "expires": "1d"}
    given = {key: value for key, value in {**table, **values}.items() if value is not None}
    lines = [f"{key} = {json.dumps(value)}" for key, value in given.items()]
    return "\n".join(["[[milestones]]", *lines, ""])


def restriction(**values: object) -> str:
    """A sound restriction without `expires`, changed by `values`."""
    return milestone(**{"kind": "restriction", "holds": "12h", "expires": None, **values})


def faults(text: str) -> list[str]:
    """What is wrong with a text, without the name of its file."""
    with pytest.raises(FaultsFound) as caught:
        protocols.parse(text, "care.toml")
    assert all(re.match(r"care\.toml:[1-9]\d*: ", each) for each in caught.value.faults)
    return [each.removeprefix("care.toml:") for each in caught.value.faults]


def the_milestone(text: str) -> Milestone:
    return protocols.parse(HEAD + COURSE + text, "care.toml").milestones[0]


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


@pytest.mark.parametrize(
    "values",
    [
        {"after": "12h"},
        {"after": "13h"},
        {"after": "23h", "holds": "1d"},  # the day may have 23 hours
        {"after": None, "day": 0, "at": "20:00"},  # a session at midnight
        {"after": None, "day": 0, "at": "11:00"},  # the clock goes back that night
        {"after": None, "day": 1, "at": "09:00"},
        {"after": None, "days": [0, 2], "at": "09:00", "holds": "2d"},
        {"holds": "0m"},
        {"after": None, "day": -1, "at": "23:00"},  # moved past a midnight session by a gap
    ],
)
def test_a_file_is_refused_whose_reminder_may_come_when_it_is_over(
    values: dict[str, object],
) -> None:
    assert [each for each in faults(HEAD + restriction(**values)) if "can be over" in each]


@pytest.mark.parametrize(
    "values",
    [
        {"after": "11h"},
        {"after": "22h", "holds": "1d"},
        {"after": None, "day": 0, "at": "10:00"},
        {"after": None, "day": 0, "at": "00:00", "holds": "30m"},
        {"after": None, "day": 2, "at": "09:00", "holds": "3d"},
        {"after": None, "day": 2, "at": "09:00", "expires": "1h"},
        {"after": None, "before": "24h", "holds": "0m"},
        {"after": None, "day": -1, "at": "22:00", "holds": "0m"},
    ],
)
def test_a_file_is_accepted_whose_reminder_always_has_time(values: dict[str, object]) -> None:
    assert the_milestone(restriction(**values)).kind is Kind.RESTRICTION


CLOCK_CHANGES = [
    ("Europe/Madrid", date(2026, 3, 29)),
    ("Europe/Madrid", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Santiago", date(2026, 9, 6)),  # at midnight
    ("America/Nuuk", date(2026, 3, 28)),  # in the last hour of the day
    ("America/Nuuk", date(2026, 10, 24)),
]


TIMINGS: list[Mapping[str, object]] = [
    *({"after": f"{each}h"} for each in range(50)),
    *(
        {"after": None, "day": day, "at": f"{hour:02}:00"}
        for day in range(-1, 3)
        for hour in range(24)
    ),
]
LENGTHS = [f"{hours}h" for hours in range(80)], [f"{days}d" for days in range(4)]


def shortest(timing: Mapping[str, object], lengths: list[str]) -> Milestone | None:
    """The restriction of that timing with the first of `lengths` that a file may say."""
    for holds in lengths:
        with contextlib.suppress(FaultsFound):
            return the_milestone(restriction(**timing, holds=holds))
    return None


@cache
def tight_rules() -> list[Milestone]:
    """Restrictions that leave as little time as a file may leave."""
    found = (shortest(timing, lengths) for timing in TIMINGS for lengths in LENGTHS)
    return [rule for rule in found if rule is not None]


def said_at(rule: Milestone, zone: str, session: datetime) -> datetime:
    match rule.timing:
        case Elapsed(offset):
            return session + offset
        case OnDays(first, _, clock):
            day = hours.local_date(zone, session) + timedelta(days=first)
            return hours.resolve(zone, day, clock)
    raise AssertionError(rule.timing)


@pytest.mark.parametrize(("zone", "day"), CLOCK_CHANGES)
def test_what_is_accepted_has_time_around_every_clock_change(zone: str, day: date) -> None:
    assert len(tight_rules()) > 200
    for shift, clock in product(range(-3, 2), [time(0), time(0, 1), time(2, 30), time(23, 59)]):
        session = hours.resolve(zone, day + timedelta(days=shift), clock)
        for rule in tight_rules():
            assert rule.holds is not None
            over = session if rule.is_pre_care else hours.add(zone, session, rule.holds)
            said = said_at(rule, zone, session)
            assert (said if rule.is_pre_care else max(said, session)) < over, (rule, session)


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
def test_a_kept_document_gives_the_protocol_back(key: str) -> None:
    found = ProtocolLibrary([PACKAGED]).find(key)
    assert protocols.from_document(found.document) == found.protocol
    assert protocols.load(found.path) == found.protocol


@pytest.mark.parametrize("key", KEYS)
def test_every_packaged_milestone_says_which_document_it_comes_from(key: str) -> None:
    protocol = protocols.load(PACKAGED / f"{key}.toml")
    assert protocol.sources
    assert all(each.source in protocol.sources for each in protocol.milestones)


def test_the_packaged_schema_is_the_one_that_the_command_prints() -> None:
    shipped = (PACKAGED / "protocol.schema.json").read_text(encoding="utf-8")
    assert json.loads(shipped) == protocols.json_schema()


@pytest.mark.parametrize("key", KEYS)
def test_packaged_files_name_the_schema_for_editors(key: str) -> None:
    text = (PACKAGED / f"{key}.toml").read_text(encoding="utf-8")
    assert text.startswith("#:schema ./protocol.schema.json\n")


def test_the_default_protocol_restricts_and_clears_as_its_source_says() -> None:
    protocol = protocols.load(PACKAGED / "mesotherapy.toml")
    held = {
        each.id: (sorted(each.topics), str(each.holds))
        for each in protocol.milestones
        if each.kind is Kind.RESTRICTION
    }
    cleared = {
        topic: each.timing
        for each in protocol.milestones
        if each.kind is Kind.RELEASE
        for topic in each.topics
    }
    two_days = Elapsed(timedelta(hours=48))
    assert held == {
        "no-shower": (["shower"], "12h"),
        "no-heat-or-sun": (["heat", "sunbathing"], "48h"),
        "no-exercise": (["exercise"], "48h"),
    }
    assert cleared == {
        "shower": Elapsed(timedelta(hours=12)),
        "exercise": two_days,
        "heat": two_days,
        "sunbathing": two_days,
    }


def test_no_packaged_routine_is_forbidden_by_its_own_protocol() -> None:
    for key in KEYS:
        milestones = protocols.load(PACKAGED / f"{key}.toml").milestones
        forbidden = {
            topic for each in milestones if each.kind is Kind.RESTRICTION for topic in each.topics
        }
        for each in milestones:
            assert each.kind is not Kind.ROUTINE or not each.topics & forbidden, (key, each.id)


def test_no_packaged_reminder_is_lost_to_the_quiet_hours() -> None:
    quiet = QuietHours.parse("21:00-08:00")
    for key, hour in product(KEYS, range(24)):
        session = hours.resolve("Europe/Madrid", date(2026, 3, 28), time(hour, 40))
        for each in protocols.load(PACKAGED / f"{key}.toml").milestones:
            if each.quiet is QuietPolicy.DEFER and not isinstance(each.timing, CourseLead):
                said = said_at(each, "Europe/Madrid", session)
                length = each.expires or each.holds
                assert length is not None
                over = hours.add("Europe/Madrid", said, length)
                if each.is_pre_care:
                    over = session
                assert hours.end_of_quiet("Europe/Madrid", quiet, said) < over, (key, each.id, hour)


def test_no_packaged_routine_is_said_on_another_day_than_its_own() -> None:
    for key in KEYS:
        for each in protocols.load(PACKAGED / f"{key}.toml").milestones:
            if each.kind is Kind.ROUTINE:
                assert isinstance(each.timing, OnDays)
                assert each.expires is not None
                said = timedelta(hours=each.timing.at.hour, minutes=each.timing.at.minute)
                assert said + each.expires.elapsed <= timedelta(hours=21), (key, each.id)


def test_the_clinics_own_file_hides_the_packaged_one(tmp_path: Path) -> None:
    own = tmp_path / "mesotherapy.toml"
    own.write_text(HEAD.replace("care", "mesotherapy") + milestone(), encoding="utf-8")
    library = ProtocolLibrary([tmp_path / "none", tmp_path, PACKAGED])
    assert library.keys() == KEYS
    assert library.find("mesotherapy").path == own
    assert library.find("mesotherapy").protocol.title == "Care"
    assert library.find("mesotherapy-basic").path == PACKAGED / "mesotherapy-basic.toml"


def test_a_path_is_read_before_a_key_is_looked_for(tmp_path: Path) -> None:
    file = tmp_path / "care.toml"
    file.write_text(HEAD + milestone(), encoding="utf-8")
    assert ProtocolLibrary([PACKAGED]).find(str(file)).protocol.key == "care"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mesotherpy", 'there is no protocol "mesotherpy"; did you mean "mesotherapy"?'),
        ("../protocols/mesotherapy", 'there is no protocol "../protocols/mesotherapy"'),
        ("nowhere/care.toml", "nowhere/care.toml: there is no such file"),
    ],
)
def test_an_unknown_protocol_is_not_found(name: str, message: str) -> None:
    with pytest.raises(NotFound, match=f"^{re.escape(message)}"):
        ProtocolLibrary([PACKAGED]).find(name)


def test_a_file_that_is_no_text_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "care.toml"
    file.write_bytes(b'key = "care"\ntitle = "\xff"\n')
    with pytest.raises(FaultsFound, match=r"care\.toml:2: is not UTF-8 text"):
        protocols.load(file)


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
