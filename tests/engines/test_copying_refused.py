"""What keeps a copy from being made, what is wrong with one, and what becomes of its source."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reminderd import holding
from reminderd.engines.distributed import copying
from reminderd.engines.embedded.connection import connect
from reminderd.engines.embedded.lock import only_daemon
from reminderd.engines.tables import whole
from reminderd.errors import ConfigurationError, FaultsFound, Refused, TryAgainLater
from reminderd.interfaces import Outbox
from tests.engines.rows import LATER, NOW, with_patient
from tests.engines.whole_life import changed, known, lived, moved, opened

LIVES = "INSERT INTO workers (name, schema, seen_at) VALUES ('desk-1', 5, clock_ms() - {})"
COPIED, COMPARED = "copied    notes", "compared  patients"


def test_a_file_that_a_daemon_sends_from_is_not_copied(plain: Path, postgresql: str) -> None:
    with only_daemon(plain), pytest.raises(TryAgainLater, match="already sending"):
        moved(plain, postgresql)
    moved(plain, postgresql)


def test_a_server_that_a_worker_sends_from_is_not_copied(
    plain: Path, tmp_path: Path, postgresql: str
) -> None:
    changed(postgresql, LIVES.format(0))
    with pytest.raises(TryAgainLater, match="worker desk-1 is sending"):
        moved(plain, postgresql)
    changed(postgresql, "UPDATE workers SET seen_at = clock_ms() - 16000")
    moved(plain, postgresql)
    changed(postgresql, "UPDATE workers SET seen_at = clock_ms()")
    with pytest.raises(TryAgainLater, match="worker desk-1 is sending"):
        moved(postgresql, tmp_path / "back.db")
    assert holding.held(opened(postgresql)) == []


def test_nobody_writes_into_what_is_being_copied(
    plain: Path, tmp_path: Path, postgresql: str
) -> None:
    for source, target in ((plain, postgresql), (postgresql, tmp_path / "back.db")):
        writer = opened(source, patience_seconds=0.05)

        def is_kept_out(at: str, writer: Outbox = writer) -> None:
            if at.startswith(COPIED):
                with pytest.raises(TryAgainLater):
                    with_patient(writer)

        copying.copy(str(source), str(target), None, NOW, is_kept_out)


def test_only_an_empty_database_is_copied_to(
    plain: Path, tmp_path: Path, new_postgresql: Callable[[], str], postgresql: str
) -> None:
    filled, other = new_postgresql(), lived(tmp_path / "other.db")
    with_patient(opened(filled))
    with pytest.raises(Refused, match="is not empty: it has patients"):
        moved(plain, filled)
    moved(plain, postgresql)
    with pytest.raises(Refused, match="is not empty"):
        moved(postgresql, other)
    with pytest.raises(Refused, match="holds the copy of another database"):
        moved(other, postgresql)
    assert holding.held(opened(other)) == []


def test_an_old_database_with_something_in_it_is_not_brought_up_to_date(
    plain: Path, tmp_path: Path, postgresql: str
) -> None:
    moved(plain, postgresql)
    older = lived(tmp_path / "older.db")
    with connect(older) as file:
        file.execute("PRAGMA user_version = 3")
    before = older.read_bytes()
    with pytest.raises(Refused, match="is not empty"):
        moved(postgresql, older)
    assert older.read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "when", "says"),
    [
        ("UPDATE patients SET family_name = 'X' WHERE id = 3", COPIED, "patients: .* differs is 3"),
        ("UPDATE consents SET at = 1 WHERE patient = 3", COPIED, "consents: .* differs is 3/email"),
        ("DELETE FROM reply_patients", COPIED, "reply_patients: 1 rows .*, 0 .* differs is 1/1"),
        ("INSERT INTO notes (key, value) VALUES ('a', 'b')", COPIED, "notes: .* differs is a"),
        ("SELECT setval('messages_ids', 3)", COMPARED, "messages: numbers up to 70 were given"),
    ],
)
def test_what_is_not_the_same_is_found_and_named(
    plain: Path, postgresql: str, sql: str, when: str, says: str
) -> None:
    def meddles(at: str) -> None:
        if at.startswith(when):
            changed(postgresql, sql)

    with pytest.raises(FaultsFound, match=says):
        copying.copy(str(plain), postgresql, None, NOW, meddles)
    assert holding.held(opened(plain)) == []
    with pytest.raises(ConfigurationError, match="not whole"):
        opened(postgresql)


def test_a_source_that_went_on_before_the_rest_was_copied_is_found(
    plain: Path, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ends(at: str) -> None:
        if at.startswith("copied    reminders"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copying.copy(str(plain), postgresql, None, NOW, ends)
    with_patient(opened(plain))
    with pytest.raises(FaultsFound, match="patients: 4 rows in"):
        moved(plain, postgresql)


def test_a_row_that_the_other_does_not_take_is_named_without_what_is_in_it(
    plain: Path, postgresql: str
) -> None:
    changed(plain, f"UPDATE reminders SET attempts = {2**40} WHERE id = 4")
    with pytest.raises(FaultsFound, match=r"does not take reminders 4: .*out of range") as told:
        moved(plain, postgresql)
    assert "db check" in str(told.value.remedy)
    changed(plain, "UPDATE reminders SET attempts = 1 WHERE id = 4")
    moved(plain, postgresql)


def test_what_postgresql_has_no_character_for_is_replaced_and_told(
    plain: Path, tmp_path: Path, postgresql: str
) -> None:
    changed(plain, "UPDATE replies SET text = 'Stop' || char(0) || 'now'")
    there = moved(plain, postgresql)
    assert there.replaced == ["replies 1"]
    (kept,) = opened(postgresql).replies()
    assert kept.reply.text == "Stop\ufffdnow"
    back = moved(postgresql, tmp_path / "back.db")
    assert (back.tables, back.replaced) == (there.tables, [])


# What becomes of the source ----------------------------------------------------------------------


def test_the_source_is_held_for_good_and_is_not_copied_elsewhere(
    plain: Path, postgresql: str, tmp_path: Path
) -> None:
    moved(plain, postgresql)
    source = opened(plain)
    (hold,) = holding.held(source)
    assert hold.cause == "moved"
    assert "set database.url" in hold.do
    with source.transaction():
        assert holding.release(source, None, "Dr. Alba", LATER) == []
    assert holding.held(source)
    assert moved(plain, postgresql).tables == []  # said again: it was whole already
    back = tmp_path / "back.db"
    moved(postgresql, back)
    with pytest.raises(Refused, match=r"was moved to .*back\.db already"):
        moved(postgresql, tmp_path / "another.db")


def test_a_source_that_was_released_does_not_count_as_copied(plain: Path, postgresql: str) -> None:
    moved(plain, postgresql)
    source = opened(plain)
    with source.transaction():
        holding.release(source, holding.MOVED, "Dr. Alba", LATER)
    assert holding.held(source) == []
    with pytest.raises(Refused, match="went on since"):
        moved(plain, postgresql)


def test_what_a_crash_left_unsettled_is_settled_where_it_is_now(
    plain: Path, tmp_path: Path, postgresql: str
) -> None:
    moved(plain, postgresql)
    target = opened(postgresql)
    open_before = target.query(
        "SELECT outcome FROM attempts WHERE outcome IN ('claimed', 'marked')"
    )
    assert sorted(open_before) == [("claimed",), ("marked",), ("marked",)]
    with target.transaction():
        returned, doubtful = target.recover(LATER)
    assert (len(returned), doubtful) == (1, 2)
    with target.transaction():
        assert target.recover(LATER) == ([], 0)


def test_a_quick_copy_of_a_server_is_a_database_like_any_other(
    plain: Path, tmp_path: Path, postgresql: str
) -> None:
    moved(plain, postgresql)
    server = opened(postgresql)
    with server.transaction():  # senders and staff go on meanwhile
        copying.copy_rows(postgresql, tmp_path / "copy.db")
    copy = opened(tmp_path / "copy.db")
    assert known(copy) == known(server)
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert whole.note(copy, whole.COPY) is None
    assert holding.held(server) == []
