"""Whose signature stands, whose was lost, and what has changed since."""

from pathlib import Path

import pytest

from reminderd import bootstrap
from reminderd.protocol_changes import Fate
from reminderd.signatures import Signatures, Since
from tests.core.build import at
from tests.core.desk import NOTE, Desk, rule

MORNING = "2026-03-10 10:00"


@pytest.fixture
def desk(strict: Desk) -> Desk:
    return strict


def as_it_is_now(desk: Desk) -> Signatures:
    """After every file was read again."""
    return bootstrap.with_fresh_texts(desk.house).signatures


def since(desk: Desk) -> Since:
    return as_it_is_now(desk).since(desk.house.library.find("care"))


def sign(desk: Desk, by: str = "Dr. Example") -> None:
    bootstrap.with_fresh_texts(desk.house).intake.approve("care", by, desk.now)


def unsigned(desk: Desk) -> dict[str, str]:
    """The clinic's own protocol, with why, where it is unsigned."""
    found = as_it_is_now(desk).unsigned()
    return {each.key: each.why for each in found if not each.key.startswith("mesotherapy")}


def test_what_nobody_signed_is_compared_with_nothing(desk: Desk) -> None:
    assert since(desk) == Since(None, False, None, None)
    assert unsigned(desk) == {"care": "not signed"}


def test_a_signature_that_stands_has_nothing_changed_since(desk: Desk) -> None:
    sign(desk)
    found = since(desk)
    assert (found.stands, found.rules, found.texts) == (True, [], [])
    assert found.approval is not None
    assert found.approval.by == "Dr. Example"
    assert unsigned(desk) == {}


def test_who_signed_last_is_whose_signature_stands(desk: Desk) -> None:
    sign(desk, by="Dr. Example")
    sign(desk, by="Dr. Sample")
    found = since(desk)
    assert found.approval is not None
    assert found.approval.by == "Dr. Sample"


def test_changes_of_the_rules_and_of_the_texts_are_both_found(desk: Desk) -> None:
    sign(desk)
    desk.protocol(NOTE.replace("1h", "2h"), rule("more", after="3h"))
    desk.template("note", "Another text.")
    desk.template("note", language="es")
    found = since(desk)
    assert not found.stands
    assert [str(each) for each in found.rules or ()] == [
        "note: when 1h after → 2h after",
        "more: milestone added: inform, more, 3h after, expires 12h",
    ]
    assert {each.name: each.fate for each in found.texts or ()} == {
        "en/more": Fate.ADDED,
        "en/note": Fate.CHANGED,
        "es/note": Fate.ADDED,
    }
    assert unsigned(desk) == {"care": "signed by Dr. Example on 2026-03-10, changed since"}


def test_it_is_compared_with_the_last_signature(desk: Desk) -> None:
    sign(desk, "Dr. First")
    desk.protocol(NOTE.replace("1h", "2h"))
    sign(desk, "Dr. Second")
    desk.protocol(NOTE.replace("1h", "3h"))
    assert [str(each) for each in since(desk).rules or ()] == ["note: when 2h after → 3h after"]


def test_who_changes_everything_back_has_the_signature_back(desk: Desk) -> None:
    sign(desk)
    desk.protocol(NOTE.replace("1h", "2h"))
    assert not since(desk).stands
    desk.protocol(NOTE)
    assert since(desk).stands


def test_a_signature_from_before_texts_were_kept_says_so(desk: Desk) -> None:
    sign(desk)
    desk.outbox.connection.execute("UPDATE approvals SET protocol_version = NULL, texts = NULL")
    assert since(desk).stands
    desk.template("note", "Another text.")
    found = since(desk)
    assert found.approval is not None
    assert (found.stands, found.rules, found.texts) == (False, None, None)


def test_sessions_under_an_older_text_are_told_what_helps_them(desk: Desk) -> None:
    desk.treat(desk.patient(channels="email"), MORNING)
    desk.protocol(NOTE.replace("1h", "2h"))
    sign(desk)
    assert desk.states() == {"note": "held/unapproved"}
    waits = as_it_is_now(desk).why_waiting("care")
    assert waits.why.startswith("sessions are under older rules, which no signature covers")
    assert waits.do == "reminderd protocol migrate care --preview"
    desk.house.migrator.migrate("care", desk.now, lambda _: None)
    assert desk.states() == {"note": "scheduled"}


def test_a_file_that_cannot_be_used_is_told_as_such(desk: Desk) -> None:
    path = desk.folder / "protocols" / "care.toml"
    path.write_text(path.read_text().replace("revision = 1", "revision = 0"))
    assert unsigned(desk) == {}
    assert as_it_is_now(desk).why_waiting("care").do == "reminderd protocol check care"
    path.unlink()
    assert as_it_is_now(desk).why_waiting("care").why == "its file cannot be used"


def test_where_nothing_leaves_the_machine_no_signature_is_missed(tmp_path: Path) -> None:
    desk = Desk(tmp_path, at(MORNING))
    desk.protocol(NOTE)
    assert unsigned(desk) == {}
    desk.close()
