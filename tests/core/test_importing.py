"""A whole list of patients at once: told before it is stored, and safe to repeat."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

import reminderd.importing
from reminderd import roster
from reminderd.errors import TryAgainLater
from reminderd.importing import Prepared
from reminderd.model import Channel, State
from tests.core.build import at, local
from tests.core.desk import NOTE, Desk, rule

DATA = Path(__file__).parents[1] / "data"
MORNING = "2026-03-10 10:00"
HEADER = "ref,given_name,family_name,phone,channels,consent,protocol,session_at\n"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, at(MORNING))
    desk.protocol(NOTE, rule("later", after="2h"), rule("much-later", day=9, at="10:00"))
    yield desk
    desk.close()


def prepared(desk: Desk, data: str | bytes) -> list[Prepared]:
    raw = data if isinstance(data, bytes) else (HEADER + data).encode()
    keys = desk.house.library.keys()
    read = roster.read(raw, desk.house.practice.clinics, keys, desk.now, "a list")
    assert read.faults == []
    return desk.house.importer.prepare(read.entries, desk.now)


def take_in(desk: Desk, data: str | bytes) -> list[Prepared]:
    found = prepared(desk, data)
    desk.house.importer.store(found, desk.now)
    return found


VERA = "A-1,Vera,Verano,+34 600 000 001,sms,sms,care,2026-03-10 10:00\n"
PACO = "A-2,Paco,Prueba,+34 600 000 002,sms,,care,2026-03-11 10:00\n"
SECOND = VERA.replace("03-10", "03-12")


def test_what_it_will_cause_is_told_and_nothing_is_written(desk: Desk) -> None:
    vera, paco = prepared(desk, VERA + SECOND + PACO)
    assert (vera.is_new, len(vera.sessions)) == (True, 2)
    assert Counter(each.state for each in vera.reminders) == {State.SCHEDULED: 3, State.HELD: 3}
    assert {each.reason for each in paco.reminders} == {"no-consent"}
    assert desk.outbox.patients() == []
    assert desk.outbox.free_ids() == (1, 1)


def test_the_coming_messages_are_bundled_as_they_will_leave(desk: Desk) -> None:
    desk.protocol(NOTE, rule("too", after="1h"), rule("later", after="2h"))
    (vera,) = prepared(desk, VERA)
    assert [
        (local(each.at), [one.milestone for one in each.reminders]) for each in vera.messages()
    ] == [("2026-03-10 11:00", ["note", "too"]), ("2026-03-10 12:00", ["later"])]


def test_what_was_told_is_what_is_stored(desk: Desk) -> None:
    told = take_in(desk, VERA + PACO + SECOND)
    stored = {each.key: each._replace(id=None) for each in desk.reminders()}
    assert stored == {each.key: each for one in told for each in one.reminders}
    assert [each.ref for each in desk.outbox.patients()] == ["A-1", "A-2"]
    assert len(desk.outbox.sessions()) == 3
    assert desk.intake.plan_all_again(desk.now) == 0


def test_sessions_are_recorded_in_the_order_of_the_file_for_each_patient(desk: Desk) -> None:
    take_in(desk, SECOND + VERA)
    by_id = sorted(desk.outbox.sessions(), key=lambda each: each.id or 0)
    assert [local(each.at) for each in by_id] == ["2026-03-12 10:00", "2026-03-10 10:00"]


def test_the_same_list_again_adds_nothing(desk: Desk) -> None:
    take_in(desk, VERA + PACO)
    before = desk.reminders()
    again = take_in(desk, VERA + PACO)
    assert [(each.is_new, each.sessions, each.reminders) for each in again] == [(False, (), ())] * 2
    assert desk.reminders() == before
    assert len(desk.outbox.sessions()) == 2


def test_a_session_that_was_called_off_does_not_come_back_with_the_list(desk: Desk) -> None:
    take_in(desk, VERA)
    desk.intake.cancel_session("ses-1", desk.now)
    take_in(desk, VERA)
    assert len(desk.outbox.sessions()) == 1


def test_a_longer_list_adds_what_is_new_to_whom_is_known(desk: Desk) -> None:
    take_in(desk, VERA)
    first = desk.reminders()
    take_in(desk, VERA + SECOND + PACO)
    assert len(desk.outbox.patients()) == 2
    assert len(desk.reminders(patient_id=1)) == 6
    assert [each for each in desk.reminders() if each in first] == first


def test_what_is_known_of_a_patient_is_never_overwritten(desk: Desk) -> None:
    take_in(desk, VERA)
    desk.intake.edit_patient(
        "A-1", lambda each: replace(each, phone="+34600000009", paused=True), desk.now
    )
    known = desk.intake.patient("A-1")
    (told,) = take_in(desk, VERA.replace("Verano", "Winter"))
    entered = replace(known, family_name="Winter", phone="+34600000001")
    assert reminderd.importing.differences(told.chart.patient, entered) == ["family_name", "phone"]
    assert desk.intake.patient("A-1") == known


def test_a_consent_that_was_withdrawn_does_not_come_back_with_the_list(desk: Desk) -> None:
    take_in(desk, VERA)
    desk.intake.record_consent("A-1", [Channel.SMS], granted=False, source="STOP", now=desk.now)
    take_in(desk, VERA + SECOND)
    assert not desk.intake.patient("A-1").consents(Channel.SMS)
    assert {each.state for each in desk.reminders()} == {State.SKIPPED}


def test_who_was_quicker_keeps_the_ids_and_the_list_takes_the_next(desk: Desk) -> None:
    told = prepared(desk, VERA)
    desk.treat(desk.patient("Paco"), MORNING)
    desk.house.importer.store(told, desk.now)
    vera = desk.intake.patient("A-1")
    assert vera.id == 2
    assert [each.session_id for each in desk.reminders(patient_id=2)] == [2, 2, 2]
    assert desk.intake.plan_all_again(desk.now) == 0


def test_a_patient_who_came_meanwhile_is_not_stored_twice(desk: Desk) -> None:
    told = prepared(desk, VERA + PACO)
    desk.patient(ref="A-2")
    with pytest.raises(TryAgainLater, match="A-2"):
        desk.house.importer.store(told, desk.now)
    assert [each.ref for each in desk.outbox.patients()] == ["A-2"]
    take_in(desk, VERA + PACO)
    assert len(desk.outbox.sessions()) == 2


def test_a_session_that_came_meanwhile_is_not_stored_twice(desk: Desk) -> None:
    take_in(desk, VERA)
    told = prepared(desk, VERA + SECOND)
    take_in(desk, SECOND)
    with pytest.raises(TryAgainLater, match="A-1"):
        desk.house.importer.store(told, desk.now)
    assert len(desk.outbox.sessions()) == 2


def test_what_changed_meanwhile_counts_when_it_is_stored(desk: Desk) -> None:
    take_in(desk, VERA)
    told = prepared(desk, SECOND)
    desk.intake.pause("A-1", desk.now, paused=True)
    desk.house.importer.store(told, desk.now)
    assert {each.reason for each in desk.reminders(session_id=2)} == {"paused"}


def test_a_long_list_is_stored_in_pieces_and_tells_how_far_it_is(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminderd.importing, "CHUNK", 2)
    take_in(desk, VERA)
    rows = "".join(PACO.replace("A-2", f"B-{n}") for n in range(5))
    heard: list[int] = []
    found = prepared(desk, rows + SECOND)
    desk.house.importer.store(found, desk.now, heard.append)
    assert heard == [2, 4, 5, 6]
    assert [each.id for each in desk.outbox.patients()] == [1, 2, 3, 4, 5, 6]


def test_a_known_session_that_lies_past_its_reminders_causes_none(desk: Desk) -> None:
    (vera,) = prepared(desk, VERA.replace("2026-03-10", "2026-01-10"))
    assert {each.reason for each in vera.reminders} == {"past"}
    assert vera.messages() == []


def test_the_sample_list_comes_in_whole_and_again_adds_nothing(desk: Desk) -> None:
    desk.clock.move_to(at("2026-03-20 07:00"))
    data = (DATA / "patients.csv").read_bytes()
    told = take_in(desk, data)
    refs = {line.split(",")[0] for line in data.decode("utf-8-sig").splitlines()[1:]}
    rows = len(set(data.decode("utf-8-sig").splitlines()[1:]))
    assert len(desk.outbox.patients()) == len(refs) == len(told)
    assert len(desk.outbox.sessions()) == rows
    assert {each.ref for each in desk.outbox.patients()} == refs
    before = desk.reminders()
    assert all(each.first_planned_at == desk.now for each in before)
    assert not [e for e in before if e.state is State.SCHEDULED and e.expires_at <= desk.now]
    desk.clock.move(timedelta(minutes=5))
    take_in(desk, data)
    assert desk.reminders() == before
