"""What comes too late, too early or never is found at its line."""

from dataclasses import replace
from pathlib import Path

import pytest

from reminderd import protocols
from reminderd.examination.nurse import SAMPLE_CLINIC, Examination
from reminderd.findings import Severity
from reminderd.model import QuietHours
from reminderd.render import Renderer
from reminderd.resources import templates_dir
from tests.core.examining import ERROR, HINT, NOW, WARNING, again, examined, no, on, rule, written
from tests.core.protocol_file import COURSE, HEAD

NIGHT = {"after": "12h", "expires": "2h"}
PLANTED: dict[str, tuple[str, Severity, str, str]] = {
    "quiet hours outlast it": (
        rule("tip", **NIGHT),
        WARNING,
        "tip",
        "a session between 09:00 and 18:00 never gets it: quiet hours (21:00-08:00) put it off"
        " until it has expired; on 28 March 2026, the day before clocks go forward, between",
    ),
    "the treatment comes first": (
        rule("tip", after=None, before="1h", expires="1h"),
        WARNING,
        "tip",
        "between 00:00 and 08:00 or between 22:00 and 23:59 never gets it: quiet hours"
        " (21:00-08:00) put it off until the treatment",
    ),
    "dropped by choice": (
        rule("tip", after="12h", quiet="drop"),
        HINT,
        "tip",
        "between 09:00 and 19:59 never gets it: it falls into quiet hours (21:00-08:00) and is",
    ),
    "never at all": (
        rule("tip", **on(1, "22:00", expires="3h")),
        ERROR,
        "tip",
        "no session ever gets it: quiet hours (21:00-08:00) put it off until it has expired",
    ),
    "the course is over before it": (
        rule("next", kind="course", after=None, lead="-2d", at="10:00"),
        ERROR,
        "next",
        "no session ever gets it: the course is complete before it",
    ),
    "a routine that a restriction forbids": (
        no(note="-") + rule("sauna", kind="routine", topics=["heat"], **on([1, 5], "10:00")),
        WARNING,
        "sauna",
        "a session at any time of day (day 1) and between 10:01 and 23:59 (day 2) never gets it:"
        " no-heat forbids heat then",
    ),
    "a routine that is always forbidden": (
        no(note="-") + rule("sauna", kind="routine", topics=["heat"], **on(1, "10:00")),
        ERROR,
        "sauna",
        "no session ever gets it: no-heat forbids heat then",
    ),
    "a restriction that may be told when it is over": (
        no(note="-", holds="3h", expires="24h"),
        WARNING,
        "no-heat",
        "may be told when it is over: it holds 3h from the treatment on",
    ),
    "a restriction that is always told too late": (
        no(note="-", holds="24h", **on(2, "10:00", expires="1d")),
        ERROR,
        "no-heat",
        "is told when it is over: it holds 24h from the treatment on",
    ),
    "a restriction that nobody lifts": (
        no(topics=["heat", "sun"]) + again(),
        WARNING,
        "no-heat",
        "nobody tells the patient when it is over: no release for sun",
    ),
    "an all-clear for nothing": (
        again(),
        WARNING,
        "heat-again",
        "gives an all-clear for heat, which no restriction forbids",
    ),
    "an all-clear too early": (
        no() + again(after="24h"),
        ERROR,
        "heat-again",
        "no session ever gets it: no-heat still forbids heat then, and the all-clear is withheld",
    ),
    "an all-clear that is early for some": (
        no() + again(**on(2, "10:00")),
        WARNING,
        "heat-again",
        "a session between 10:01 and 23:59 never gets it: no-heat still forbids heat",
    ),
    "another restriction still forbids it": (
        no() + no("no-sauna", holds="3d", note="-") + again(),
        ERROR,
        "heat-again",
        "no-sauna still forbids heat then",
    ),
    "two messages in one hour": (
        rule("tip", **on(1, "10:00")) + rule("other", **on(1, "10:40")),
        HINT,
        "tip",
        "tip and other leave within one hour after a session at any time of day",
    ),
    "too many messages a day": (
        "".join(rule(f"tip-{at}", **on(1, f"{at}:00")) for at in (10, 12, 14, 16)),
        WARNING,
        "tip-10",
        "4 messages on one date, day 1, after a session on 12 July 2026 at 00:00: tip-10, tip-12,",
    ),
    "only with a tag": (
        no(only_for=["sauna"], note="-")
        + rule("tip", kind="routine", topics=["heat"], **on(1, "10:00")),
        WARNING,
        "tip",
        'a session tagged "sauna" at any time of day never gets it: no-heat forbids heat then',
    ),
}


@pytest.mark.parametrize(("planted", "severity", "name", "what"), PLANTED.values(), ids=PLANTED)
def test_a_fault_of_the_timing_is_found_at_its_line(
    tmp_path: Path, planted: str, severity: Severity, name: str, what: str
) -> None:
    head = HEAD + (COURSE + "sessions = [1, 1]\n" if "course" in planted else "")
    path = written(tmp_path, planted, head=head)
    serious = [each for each in examined(path) if severity is HINT or each.severity is not HINT]
    assert len(serious) == 1, serious
    found = serious[0]
    line = path.read_text("utf-8").splitlines().index(f'id = "{name}"')  # one below its header
    assert (found.file, found.line, found.severity) == (str(path), line, severity)
    assert found.milestone == name
    assert what in found.what
    assert found.remedy


def test_what_a_remark_shows_can_be_seen_with_plan(tmp_path: Path) -> None:
    found = examined(written(tmp_path, rule("tip", **NIGHT)))[0]
    assert found.remedy is not None
    assert found.remedy.endswith("See: reminderd plan care --at 2026-07-12T09:00")


def test_a_release_that_may_come_early_is_a_mistake_of_the_format(tmp_path: Path) -> None:
    path = written(tmp_path, no() + again(quiet="advance"))
    with pytest.raises(protocols.FaultsFound, match="would give the all-clear too early"):
        protocols.read(path)


@pytest.mark.parametrize(
    "milestones",
    [
        no(note="Lasts as long as the patient wants.") + rule("tip", **on(3, "10:00")),
        no(after=None, before="24h", holds="0m"),  # the treatment ends it
        no(only_for=["a"], note="-") + rule("tip", topics=["heat"], kind="routine", only_for=["b"]),
        rule("tip", **on(1, "10:00", channels=["sms"]))
        + rule("other", **on(1, "10:30", channels=["email"])),
        no() + again() + rule("tip", after="48h", topics=["heat"], kind="routine"),
    ],
    ids=["noted", "ends with the treatment", "other sessions", "other channels", "in time"],
)
def test_what_is_well_is_let_be(tmp_path: Path, milestones: str) -> None:
    assert examined(written(tmp_path, milestones)) == []


def test_each_clinic_is_tried_with_its_own_quiet_hours(tmp_path: Path) -> None:
    path = written(tmp_path, rule("tip", **NIGHT))
    awake = replace(SAMPLE_CLINIC, quiet_hours=QuietHours.parse("00:00-00:00"))
    assert examined(path, clinic=awake) == []
    both = Examination([awake, SAMPLE_CLINIC, SAMPLE_CLINIC], Renderer([templates_dir()]), NOW)
    assert both.of(protocols.read(path)) == examined(path)
