"""The packaged protocols keep their word, and a clinic's own files come first."""

import json
import re
from datetime import date, time, timedelta
from itertools import product
from pathlib import Path

import pytest

from reminderd import hours, protocols
from reminderd.errors import FaultsFound, NotFound
from reminderd.model import CourseLead, Elapsed, Kind, OnDays, QuietHours, QuietPolicy
from reminderd.protocols import ProtocolLibrary
from tests.core.protocol_file import HEAD, KEYS, PACKAGED, milestone, said_at


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


# Whose file it is ---------------------------------------------------------------------------------


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
