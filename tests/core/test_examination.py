"""`protocol check` finds what a careful nurse would, and cries wolf over nothing."""

from pathlib import Path

import pytest

from reminderd.resources import protocols_dir
from tests.core.examining import HINT, examined, text

PACKAGED = sorted(protocols_dir().glob("*.toml"))


@pytest.mark.parametrize("path", PACKAGED, ids=[path.stem for path in PACKAGED])
def test_the_packaged_protocols_have_neither_errors_nor_warnings(path: Path) -> None:
    assert [each for each in examined(path) if each.severity is not HINT] == []


TEN_FAULTS = """\
key = "care"
title = "With ten faults"
revision = 1

[[milestones]]
id = "no-heat"
kind = "restriction"
topics = ["heat"]
after = "0m"
holds = "48h"
quiet = "ignore"

[[milestones]]
id = "heat-again"
kind = "release"
topics = ["heat"]
day = 2
at = "10:00"
expires = "2d"

[[milestones]]
id = "no-shower"
kind = "restriction"
topics = ["shower"]
after = "0m"
holds = "12h"
quiet = "ignore"

[[milestones]]
id = "exercise-again"
kind = "release"
topics = ["exercise"]
after = "48h"
expires = "2d"

[[milestones]]
id = "sauna"
kind = "routine"
topics = ["heat"]
days = [1, 4]
at = "12:00"
expires = "8h"
template = "spf"

[[milestones]]
id = "bruising"
kind = "inform"
topics = ["bruising"]
day = 1
at = "22:30"
expires = "4h"

[[milestones]]
id = "ice"
kind = "inform"
topics = ["swelling"]
after = "12h"
expires = "1h"

[[milestones]]
id = "rest"
kind = "inform"
topics = ["hydration"]
day = 4
at = "12:30"
expires = "8h"

[[milestones]]
id = "spring-offer"
kind = "inform"
topics = ["news"]
day = 4
at = "15:00"
expires = "8h"

[[milestones]]
id = "how-are-you"
kind = "check"
topics = ["check-in"]
day = 4
at = "18:00"
expires = "8h"
"""


def test_ten_planted_faults_are_all_found_each_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "care.toml"
    path.write_text(TEN_FAULTS, encoding="utf-8")
    offer = text(tmp_path, "spring-offer", "{{ patient.given_name }}: our special offer!")
    check = text(
        tmp_path, "how-are-you", "Reply YES if you are well; else {{ clinic.phone }}, 112."
    )
    found = [
        (each.file, each.line, each.severity.value, each.what)
        for each in examined(path)
        if each.severity is not HINT
    ]
    milestones = [each for each in found if each[0] == str(path)]
    expected = [
        (13, "warning", "a session between 10:01 and 23:59 never gets it: no-heat still"),
        (21, "warning", "nobody tells the patient when it is over"),
        (29, "warning", "gives an all-clear for exercise, which no restriction forbids"),
        (36, "warning", "a session at any time of day (day 1) and between 12:01 and 23:59 (day 2)"),
        (36, "warning", "4 messages on one date, day 4, after a session on 12 July 2026 at 00:00"),
        (45, "error", "no session ever gets it: quiet hours (21:00-08:00) put it off"),
        (53, "warning", "a session between 09:00 and 19:00 never gets it: quiet hours"),
        (76, "warning", "there is no text in ar, de, es, fr, pt for how-are-you, spring-offer"),
    ]
    assert [each[1:3] for each in milestones] == [each[:2] for each in expected]
    for each, (_, _, what) in zip(milestones, expected, strict=True):
        assert each[3].startswith(what)
    assert {
        (Path(each[0]).name, each[2], each[3][:24]) for each in found if each not in milestones
    } == {
        (offer.name, "error", '"special offer" reads li'),
        (check.name, "warning", "asks for the reply YES, "),
    }
