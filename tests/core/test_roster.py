"""A patient list is read whole: every row counts once, and every fault has its line and column."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminderd.model import Clinic, QuietHours
from reminderd.roster import COLUMNS, Roster, read

NOW = datetime(2026, 3, 20, 8, tzinfo=UTC)
DATA = Path(__file__).parents[1] / "data"
CLINICS = {
    "main": Clinic(
        "main", "Alba", "+34910000000", "Europe/Madrid", "ES", "en",
        QuietHours.parse("21:00-08:00"),
    )
}  # fmt: skip
PROTOCOLS = (
    "mesotherapy", "mesotherapy-basic", "mesotherapy-course", "mesotherapy-facial",
    "mesotherapy-gentle",
)  # fmt: skip
HEADER = "ref,given_name,protocol,session_at,tags,area"


def roster(data: str | bytes, now: datetime = NOW) -> Roster:
    typed = data if isinstance(data, bytes) else data.encode()
    return read(typed, CLINICS, PROTOCOLS, now, "import")


def places(data: str | bytes) -> list[tuple[int, str]]:
    return [(each.line, each.column) for each in roster(data).faults]


def rows(*lines: str) -> str:
    return "\n".join([HEADER, *lines])


@pytest.mark.parametrize("now", [NOW, datetime(2026, 11, 21, tzinfo=UTC)])
def test_a_list_as_a_front_desk_types_it_is_taken_whole(now: datetime) -> None:
    found = roster((DATA / "patients.csv").read_bytes(), now)
    assert found.faults == []
    assert len(found.entries) == 560
    assert len({each.patient.ref for each in found.entries}) == 500
    assert all(each.session for each in found.entries)


def test_every_fault_of_a_bad_list_is_named_in_one_run() -> None:
    found = roster((DATA / "patients-bad.csv").read_bytes())
    assert found.entries == []
    assert [(each.line, each.column) for each in found.faults] == [
        (2, "given_name"), (3, "given_name"), (5, "given_name"), (6, "phone"), (7, "phone"),
        (8, "phone"), (9, "phone"), (10, "email"), (11, "email"), (12, "timezone"),
        (13, "timezone"), (14, "language"), (15, "channels"), (16, "channels"), (17, "consent"),
        (18, "clinic"), (19, "protocol"), (20, "session_at"), (21, "session_at"),
        (22, "session_at"), (23, "session_at"), (24, "ref"), (25, "ref"), (26, "given_name"),
        (27, "tags"),
    ]  # fmt: skip
    assert found.faults[0].ref == "B-001"
    assert all(each.message.isprintable() and each.ref.isprintable() for each in found.faults)


def test_columns_come_in_any_order_and_only_two_are_needed() -> None:
    (entry,) = roster("given_name,ref\nLeni,A-1").entries
    assert (entry.line, entry.patient.given_name, entry.patient.ref) == (2, "Leni", "A-1")
    assert entry.session is None


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("ref,given_name,Phone", ["Phone"]),
        ("ref,given_name,screening", ["screening"]),
        ("ref,given_name,tel,tel", ["tel", "tel"]),
        ("ref,given_name,ref", ["ref"]),
        ("phone", ["ref", "given_name"]),
        ("ref,given_name,", [""]),
        ("ref;given_name;phone", [""]),
        ("", [""]),
        ('"ref', [""]),
    ],
)
def test_a_faulty_header_is_named_and_nothing_is_taken(header: str, columns: list[str]) -> None:
    found = roster(f"{header}\nA-1,Leni,+34612345678\n" if header else "\n\n")
    assert found.entries == []
    assert [each.column for each in found.faults] == columns
    assert {each.line for each in found.faults} == {1}


def test_a_mistyped_column_is_answered_with_the_one_that_was_meant() -> None:
    (fault,) = roster("ref,given_name,sesion_at\n").faults
    assert fault.message == '"sesion_at" is not a column; did you mean "session_at"?'


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_line_is_where_the_row_begins_whatever_ends_lines(end: str) -> None:
    text = end.join([HEADER, 'A-1,"Le', 'ni",,,,', "", ",,,,,", "A-2,Leni,,,,", "A-3,,,,,"])
    found = roster(f"\ufeff{text}{end}")
    assert [(each.line, each.column, each.ref) for each in found.faults] == [
        (2, "given_name", "A-1"),
        (7, "given_name", "A-3"),
    ]
    assert [each.line for each in found.entries] == [6]


def test_all_faults_of_one_row_are_named() -> None:
    assert places(rows(",,mesoterapy,28/03/2026,Vip,x")) == [
        (2, "ref"), (2, "given_name"), (2, "session_at"), (2, "protocol"), (2, "tags"),
    ]  # fmt: skip


def test_a_file_that_is_not_utf_8_is_named_with_its_line() -> None:
    (fault,) = roster(rows("A-1,Leni,,,,", "A-2,Jos\xe9,,,,").encode("latin-1")).faults
    assert (fault.line, fault.column) == (3, "")
    assert "UTF-8" in fault.message


@pytest.mark.parametrize(
    ("row", "column"),
    [("A-1,Leni", "protocol"), ("A-1,Leni,,,,,", ""), ("A-1,Leni,,,,,,x", "")],
)
def test_a_row_with_too_few_or_too_many_cells_is_named(row: str, column: str) -> None:
    found = roster(rows(row, "A-2,Leni,,,,"))
    assert [(each.line, each.column) for each in found.faults] == [(2, column)]
    assert [each.patient.ref for each in found.entries] == ["A-2"]


def test_a_broken_quotation_is_named_and_the_rows_after_it_are_still_read() -> None:
    found = roster(rows('A-1,"Le"ni,,,,', "A-2,Leni,,,,", "A-3,,,,,", 'A-4,"Leni,,,,', "A-5,,,,,"))
    assert [(each.line, each.column) for each in found.faults] == [
        (2, ""),
        (4, "given_name"),
        (5, ""),
    ]
    assert [each.patient.ref for each in found.entries] == ["A-2"]


def test_a_cell_beyond_all_measure_is_a_fault_like_any_other() -> None:
    assert places(rows(f"A-1,{'x' * 200_000},,,,", "A-2,,,,,")) == [(2, ""), (3, "given_name")]


def test_a_null_byte_is_a_fault_of_its_cell() -> None:
    assert places(rows("A-1,Le\x00ni,,,,")) == [(2, "given_name")]


def test_further_rows_of_a_patient_add_sessions_in_file_order() -> None:
    found = roster(
        rows(
            "A-1,Leni,mesotherapy,2026-04-01 10:00,vip,face",
            "A-2,Ana,,,,",
            "A-1,Leni,mesotherapy,2026-03-28T10:00,,",
        )
    )
    assert found.faults == []
    sessions = [each.session for each in found.entries if each.session]
    assert [each.at.day for each in sessions] == [1, 28]
    assert (sessions[0].tags, sessions[0].area) == (frozenset({"vip"}), "face")
    assert (sessions[1].tags, sessions[1].area) == (frozenset(), None)


def test_further_rows_must_agree_about_the_patient() -> None:
    head = "ref,given_name,phone,channels"
    found = roster(f"{head}\nA-1,Leni,+34612345678,sms\nA-2,Ana,,\nA-1,Lena,612345678,email\n")
    assert [(each.line, each.column, each.message) for each in found.faults] == [
        (4, "given_name", "differs from line 2 of the same ref; correct one"),
        (4, "channels", "differs from line 2 of the same ref; correct one"),
    ]
    assert [each.line for each in found.entries] == [2, 3]


def test_a_row_that_is_there_twice_counts_once() -> None:
    twice = "A-1,Leni,mesotherapy,2026-04-01T10:00,vip,face"
    found = roster(rows(twice, twice, "A-1,Leni,mesotherapy,2026-04-01T08:00Z,vip,face"))
    assert found.faults == []
    assert [each.line for each in found.entries] == [2]


def test_one_session_with_two_areas_is_a_contradiction() -> None:
    start = "A-1,Leni,mesotherapy,2026-04-01T10:00"
    found = roster(rows(f"{start},vip,face", f"{start},vip,neck"))
    assert [(each.line, each.column, each.message) for each in found.faults] == [
        (3, "area", "differs from line 2 of the same session; correct one")
    ]
    assert [each.line for each in found.entries] == [2]


def test_a_session_has_both_a_protocol_and_a_time() -> None:
    only_one = rows("A-1,Leni,mesotherapy,,,", "A-2,Leni,,2026-04-01T10:00,,")
    assert places(only_one) == [(2, "session_at"), (3, "protocol")]


def test_a_mistyped_protocol_is_answered_with_the_one_that_was_meant() -> None:
    (fault,) = roster(rows("A-1,Leni,mesoterapy,2026-04-01T10:00,,")).faults
    assert fault.message == '"mesoterapy" is not a protocol; did you mean "mesotherapy"?'


def test_a_session_is_at_the_patient_s_wall_clock_else_at_the_clinic_s() -> None:
    head = "ref,given_name,timezone,protocol,session_at"
    found = roster(
        f"{head}\nA-1,Leni,Asia/Dubai,mesotherapy,2026-04-01T10:00\n"
        "A-2,Leni,,mesotherapy,2026-04-01T10:00\n"
    )
    at = [each.session.at.hour for each in found.entries if each.session]
    assert at == [6, 8]


CELLS = st.sampled_from(
    [*COLUMNS, ",", ";", '"', "\n", "\r\n", "\r", "\x00", "\ufeff", "A-1", "Leni", "mesotherapy",
     "2026-04-01T10:00", "sms", "+34612345678", "é", " "]
)  # fmt: skip


@given(data=st.binary() | st.lists(CELLS).map("".join).map(str.encode))
def test_any_bytes_are_read_or_answered(data: bytes) -> None:
    found = roster(data)
    assert not (found.entries and b"ref" not in data)
    for fault in found.faults:
        assert 1 <= fault.line <= len(data.splitlines()) + 1
        assert f"{fault.column}{fault.ref}{fault.message}".isprintable()


@given(body=st.lists(CELLS, max_size=60).map("".join), more=st.binary(max_size=20))
def test_any_rows_under_a_sound_header_are_read_or_answered(body: str, more: bytes) -> None:
    found = roster(f"{HEADER}\n{body}".encode() + more)
    lines = [each.line for each in found.faults]
    assert lines == sorted(lines)
    assert all(each.message.isprintable() for each in found.faults)
