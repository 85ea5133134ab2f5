"""Who did what is kept for good, and nobody changes it unnoticed."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reminderd import holding, importing
from reminderd.audit import DAEMON, Action, Entry, Head, Recorded, broken, sealed
from reminderd.errors import OptedOut, Refused, WrongAddress
from reminderd.model import Adjustment, Channel, Duration, Screening
from reminderd.roster import Entry as Row
from reminderd.roster import SessionEntry
from tests.core.build import at
from tests.core.desk import NOTE, Desk, patient, rule

MORNING = at("2026-03-10 10:00")
CANARIES = (
    "Verano",
    "+34600000001",
    "vera@example.org",
    "A-1",
    "left cheek",
    "very sore",
    "eczema",
)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, MORNING)
    desk.protocol(NOTE, rule("rest", "restriction", after="0m", holds="48h", expires="4h"))
    yield desk
    desk.close()


def entries(desk: Desk) -> list[Entry]:
    return [each.entry for each in desk.outbox.trail()]


def actions(desk: Desk) -> list[str]:
    return [f"{each.action} {each.what}" for each in entries(desk)]


def chain(*facts: str) -> tuple[list[Recorded], Head]:
    given = [
        Entry(MORNING, "alba", Action.PATIENT_EDITED, each, 1, after={"timezone": each})
        for each in facts
    ]
    trail = sealed(given, Head())
    return trail, Head(len(trail), trail[-1].digest)


# The chain --------------------------------------------------------------------------------------


def test_a_trail_that_nobody_touched_is_whole() -> None:
    assert broken(*chain("pat-1", "pat-2", "pat-3")) is None
    assert broken([], Head()) is None


def test_a_trail_goes_on_where_it_ended() -> None:
    whole, _ = chain("pat-1", "pat-2")
    first = sealed([whole[0].entry], Head())
    rest = sealed([whole[1].entry], Head(1, first[0].digest))
    assert [*first, *rest] == whole


@pytest.mark.parametrize(
    "change",
    [
        {"at": MORNING + timedelta(milliseconds=1)},
        {"by": "bea"},
        {"action": Action.ERASED},
        {"what": "pat-7"},
        {"patient": 7},
        {"last_patient": 7},
        {"before": {"timezone": "UTC"}},
        {"after": {}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_is_changed_in_an_entry_is_noticed(change: dict[str, Any]) -> None:
    trail, head = chain("pat-1", "pat-2", "pat-3")
    trail[1] = trail[1]._replace(entry=replace(trail[1].entry, **change))
    fault = broken(trail, head)
    assert fault is not None
    assert fault.number == 2


@pytest.mark.parametrize(
    ("tamper", "number"),
    [
        (lambda trail: trail[1:], 1),
        (lambda trail: [trail[0], trail[2]], 2),
        (lambda trail: trail[:2], 3),
        (lambda trail: [], 1),
        (lambda trail: [trail[1], trail[0], trail[2]], 1),
        (lambda trail: [*trail, *sealed([trail[0].entry], Head(3, trail[2].digest))], 4),
        (lambda trail: [trail[0], trail[1]._replace(digest=trail[0].digest), trail[2]], 2),
    ],
    ids=["first", "middle", "end", "all", "order", "added", "digest"],
)
def test_whatever_is_taken_out_or_put_in_is_noticed(
    tamper: Callable[[list[Recorded]], list[Recorded]], number: int
) -> None:
    trail, head = chain("pat-1", "pat-2", "pat-3")
    fault = broken(tamper(trail), head)
    assert fault is not None
    assert fault.number == number


# What is recorded -------------------------------------------------------------------------------


def live(desk: Desk) -> None:
    """Everything that staff can do, each once."""
    intake, now = desk.intake, desk.now
    care = SessionEntry("care", MORNING, frozenset(), "left cheek")
    vera = patient(ref="A-1", screening=frozenset({Screening.ECZEMA}))
    intake.enrol(vera, care, now)
    intake.edit_patient("A-1", lambda each: replace(each, phone="+34600000002"), now)
    intake.record_consent("A-1", [Channel.EMAIL], granted=False, source="Verano", now=now)
    intake.pause("A-1", now, paused=True)
    intake.pause("A-1", now, paused=False)
    longer = Adjustment("Nurse", "very sore", holds=Duration.parse("72h"))
    intake.adjust_session("ses-1", "rest", longer, now)
    intake.cancel_reminder("rem-1", now)
    intake.retry_reminder("rem-1", now)
    intake.add_session("A-1", replace(care, at=at("2026-03-20 10:00")), now)
    intake.move_session("ses-2", at("2026-03-21 10:00"), now)
    intake.cancel_session("ses-2", now)
    intake.add_session("A-1", replace(care, at=at("2026-03-12 10:00")), now)
    intake.session_done("ses-3", MORNING, now)
    intake.approve("care", "Dr. Alba", now)


def test_everything_that_staff_do_is_in_the_trail_in_order(desk: Desk) -> None:
    live(desk)
    assert actions(desk) == [
        "patient-added pat-1",
        "session-added ses-1",
        "patient-edited pat-1",
        "consent pat-1",
        "paused pat-1",
        "resumed pat-1",
        "session-adjusted ses-1",
        "reminder-cancelled rem-1",
        "reminder-retried rem-1",
        "session-added ses-2",
        "session-moved ses-2",
        "session-cancelled ses-2",
        "session-added ses-3",
        "session-done ses-3",
        "protocol-approved care",
    ]
    assert broken(desk.outbox.trail(), desk.outbox.trail_head()) is None


def test_an_entry_says_who_when_and_what_changed_and_no_more(desk: Desk) -> None:
    desk.patient()
    desk.intake.edit_patient("pat-1", lambda each: replace(each, timezone="Europe/London"), MORNING)
    assert entries(desk)[-1] == Entry(
        MORNING,
        desk.intake.by,
        Action.PATIENT_EDITED,
        "pat-1",
        1,
        before={"timezone": None},
        after={"timezone": "Europe/London"},
    )


def test_who_decided_by_name_is_named(desk: Desk) -> None:
    live(desk)
    by = {each.action: each.by for each in entries(desk)}
    assert by[Action.SESSION_ADJUSTED] == "Nurse"
    assert by[Action.PROTOCOL_APPROVED] == "Dr. Alba"
    assert by[Action.PAUSED] == desk.intake.by


def test_what_can_be_erased_is_not_in_the_trail_only_that_it_changed(desk: Desk) -> None:
    live(desk)
    kept = json.dumps([[each.what, each.before, each.after] for each in entries(desk)])
    assert [each for each in CANARIES if each in kept] == []
    edited = entries(desk)[2]
    assert (edited.before, edited.after) == ({"phone": "(not kept)"}, {"phone": "(not kept)"})


def test_what_changes_nothing_leaves_no_entry(desk: Desk) -> None:
    desk.patient()
    desk.intake.edit_patient("pat-1", lambda each: each, MORNING)
    desk.intake.pause("pat-1", MORNING, paused=False)
    assert actions(desk) == ["patient-added pat-1"]


def test_what_is_refused_or_only_tried_leaves_no_entry(desk: Desk) -> None:
    desk.patient(ref="A-1")
    with pytest.raises(Refused):
        desk.patient(ref="A-1")
    with desk.intake.trial():
        desk.intake.pause("pat-1", MORNING, paused=True)
    assert actions(desk) == ["patient-added pat-1"]
    assert broken(desk.outbox.trail(), desk.outbox.trail_head()) is None


@pytest.mark.parametrize(
    ("answer", "action"),
    [
        (OptedOut("stop", code="21610"), Action.OPTED_OUT),
        (WrongAddress("no"), Action.ADDRESS_MARKED),
    ],
)
def test_what_a_provider_says_of_a_patient_is_in_the_trail(
    desk: Desk, answer: Exception, action: Action
) -> None:
    desk.intake.approve("care", "Dr. Alba", MORNING)
    desk.treat(desk.patient(), "2026-03-10 11:00")
    desk.sms.script(answer)
    desk.drain("2026-03-10 12:00")
    told = entries(desk)[-1]
    assert (told.action, told.what, told.by) == (action, "pat-1", DAEMON)


def test_a_list_is_one_entry_that_names_it(desk: Desk) -> None:
    care = SessionEntry("care", MORNING, frozenset(), None)
    rows = [Row(number, patient(ref=f"A-{number}"), care) for number in range(3)]
    importer = desk.house.importer
    importer.store(importer.prepare(rows, MORNING), MORNING, source="patients.csv")
    (entry,) = entries(desk)
    assert (entry.action, entry.what) == (Action.IMPORTED, "pat-1 to pat-3")
    assert entry.after == {"from": "patients.csv", "patients": 3, "sessions": 3}
    assert [len(desk.outbox.trail(patient_id)) for patient_id in (1, 2, 3, 4)] == [1, 1, 1, 0]


def test_a_session_that_a_list_adds_to_a_known_patient_is_an_entry(desk: Desk) -> None:
    desk.patient(ref="A-1")
    rows = [Row(1, patient(ref="A-1"), SessionEntry("care", MORNING, frozenset(), None))]
    importer = desk.house.importer
    importer.store(importer.prepare(rows, MORNING), MORNING, source="patients.csv")
    entry = entries(desk)[-1]
    assert (entry.action, entry.what, entry.patient) == (Action.SESSION_ADDED, "ses-1", 1)
    assert entry.by == f"{desk.intake.by}, from patients.csv"


def test_a_long_list_is_an_entry_for_each_piece(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 2)
    rows = [Row(number, patient(ref=f"A-{number}"), None) for number in range(3)]
    importer = desk.house.importer
    importer.store(importer.prepare(rows, MORNING), MORNING)
    assert actions(desk) == ["imported pat-1 to pat-2", "imported pat-3 to pat-3"]


def test_a_session_that_goes_over_to_a_new_revision_is_an_entry(desk: Desk) -> None:
    desk.book(desk.patient(), "2026-03-20 10:00")
    desk.protocol(rule("note", after="2h"))
    house = desk.house
    del desk.__dict__["house"]
    house.outbox.close()
    desk.house.migrator.migrate("care", MORNING, lambda _: None)
    entry = entries(desk)[-1]
    assert (entry.action, entry.what, entry.patient) == (Action.SESSION_MIGRATED, "ses-1", 1)


def test_who_lets_sending_go_on_is_in_the_trail(desk: Desk) -> None:
    with desk.outbox.transaction():
        holding.hold(desk.outbox, "clock", "the clock was set", MORNING)
        holding.release(desk.outbox, None, "alba", MORNING)
        holding.release(desk.outbox, None, "alba", MORNING)
    (entry,) = entries(desk)
    assert (entry.action, entry.by, entry.after) == ("released", "alba", {"causes": ["clock"]})


def test_every_action_is_explained_on_its_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
    assert [each for each in Action if f"`{each}`" not in page] == []
