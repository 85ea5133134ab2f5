"""What calls for caution is noted at the desk: staff are warned, patients are never told."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result

from reminderd.model import Screening
from tests.cli.front_desk import CARE, NOW, PATIENT_KEYS, VERA, FrontDesk

PAST, AHEAD = ("--at", "2026-03-26 19:00"), ("--at", "2026-03-30 12:00")
NOTED = ("--screening", "eczema,pregnancy")
ASK = (
    "Noted about pat-1: eczema, pregnancy."
    " Source S2 calls for caution: ask the practitioner before treating."
)
TELL = (
    "Noted about pat-1: eczema, pregnancy."
    " Source S2 calls for caution: the practitioner should know."
)


def warned(said: Result) -> list[str]:
    """The warnings of a command that worked."""
    assert said.exit_code == 0, said.output
    assert "Noted" not in said.stdout
    return [line for line in said.stderr.splitlines() if line.startswith("Noted")]


def noted(desk: FrontDesk) -> list[str]:
    shown: list[str] = desk.json("patient", "show", "A-1")["screening"]
    return shown


def booked(folder: Path) -> FrontDesk:
    """Vera is noted, and comes in a few days."""
    desk = FrontDesk(folder)
    desk.do("enrol", *VERA, *CARE, *AHEAD, *NOTED)
    return desk


@pytest.mark.parametrize("more", [(), ("--json",)], ids=["people", "script"])
@pytest.mark.parametrize(("at", "advice"), [(AHEAD, ASK), (PAST, TELL)], ids=["ahead", "past"])
def test_enrolling_warns_before_a_treatment_and_after_one(
    tmp_path: Path, at: tuple[str, str], advice: str, more: tuple[str, ...]
) -> None:
    said = FrontDesk(tmp_path).run("enrol", *VERA, *CARE, *at, *NOTED, *more)
    assert warned(said) == [advice]


def test_adding_a_patient_warns(tmp_path: Path) -> None:
    assert warned(FrontDesk(tmp_path).run("patient", "add", *VERA, *NOTED)) == [ASK]


@pytest.mark.parametrize("more", [(), ("--json",), ("--preview",)])
def test_adding_a_session_warns(tmp_path: Path, more: tuple[str, ...]) -> None:
    desk = booked(tmp_path)
    add = ("session", "add", "A-1", *CARE, "--at")
    assert warned(desk.run(*add, "2026-04-06 12:00", *more)) == [ASK]
    assert warned(desk.run(*add, "2026-03-25 12:00", *more)) == [TELL]


@pytest.mark.parametrize("more", [(), ("--json",), ("--preview",)])
def test_a_session_that_took_place_warns(tmp_path: Path, more: tuple[str, ...]) -> None:
    after = NOW + timedelta(days=4)
    assert warned(booked(tmp_path).run("session", "done", "ses-1", *more, now=after)) == [TELL]


def test_noting_it_later_warns_and_another_edit_keeps_it(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    desk.do("enrol", *VERA, *CARE, *AHEAD)
    assert warned(desk.run("patient", "edit", "A-1", *NOTED)) == [ASK]
    assert warned(desk.run("patient", "edit", "A-1", "--given-name", "Vero")) == []
    assert noted(desk) == ["eczema", "pregnancy"]


def test_an_empty_text_clears_it(tmp_path: Path) -> None:
    desk = booked(tmp_path)
    assert warned(desk.run("patient", "edit", "A-1", "--screening", "")) == []
    assert noted(desk) == []
    assert warned(desk.run("session", "add", "A-1", *CARE, *PAST)) == []


def test_nobody_is_warned_where_nothing_is_noted(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    assert warned(desk.run("enrol", *VERA, *CARE, *AHEAD)) == []
    assert "screening" not in desk.do("patient", "show", "A-1")
    assert noted(desk) == []


def test_every_mistyped_word_is_answered_and_nothing_is_written(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    said = desk.run("enrol", *VERA, *CARE, *PAST, "--screening", "eczma,pregnancy,pregnat")
    assert said.exit_code == 2
    assert '--screening: "eczma" is not a screening word; did you mean "eczema"?' in said.stderr
    assert '"pregnat" is not a screening word; did you mean "pregnancy"?' in said.stderr
    assert desk.is_empty()


def test_a_mistyped_edit_leaves_what_was_noted(tmp_path: Path) -> None:
    desk = booked(tmp_path)
    for wrong in ("none", ",", "eczema pregnancy"):
        assert desk.run("patient", "edit", "A-1", "--screening", wrong).exit_code == 2
    assert noted(desk) == ["eczema", "pregnancy"]


def test_staff_see_it_with_the_patient_and_the_list_stays_as_promised(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    enrolled = desk.json("enrol", *VERA, *CARE, *PAST, "--screening", "Clotting-Disorder")
    assert "screening clotting disorder" in desk.do("patient", "show", "A-1")
    shown = desk.json("patient", "show", "A-1")
    (listed,) = desk.json("patient", "list")["patients"]
    assert shown["screening"] == ["clotting-disorder"]
    assert list(listed) == list(shown["patient"]) == list(enrolled["patient"]) == PATIENT_KEYS


def test_nothing_that_leaves_and_no_log_line_holds_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk = FrontDesk(tmp_path)
    care = ("--protocol", "mesotherapy-course", *AHEAD, "--channels", "email,sms")
    with caplog.at_level(logging.DEBUG):
        desk.do("enrol", *VERA, *care, "--screening", ",".join(Screening))
        desk.do("session", "done", "ses-1", now=NOW + timedelta(days=4))
        for days in range(20):
            desk.send(NOW + timedelta(days=days))
    left = [each.read_text("utf-8") for each in (tmp_path / "outbox").iterdir()]
    assert len(left) > 5
    for text in [*left, caplog.text]:
        for word in ("screening", "clotting", *Screening):
            assert word not in text.lower()
