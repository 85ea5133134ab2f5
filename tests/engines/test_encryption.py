"""An encrypted database: what its files show, what is noticed, and how it goes over to a key."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from reminderd.answerbook import Answer
from reminderd.engines.embedded import encrypting, restoring, roll, soundness, store
from reminderd.engines.embedded.backup import back_up
from reminderd.engines.embedded.connection import connect
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.errors import ConfigurationError, TryAgainLater
from reminderd.findings import Level
from reminderd.interfaces import Decision, Reply, Settlement
from reminderd.model import Adjustment, Consent, Outcome, Screening, SessionChange, Severity, State
from reminderd.outbox_values import Incident
from reminderd.sealing import TABLES, Seal, SealBroken
from reminderd.words import AnswerKind
from tests.engines.rows import (
    LATER,
    LIBRARY,
    NOW,
    SEAL,
    SMS,
    a_reminder,
    claimed,
    saved,
    with_patient,
    with_session,
    words,
)

OTHER = Seal(bytes(32), "another file")
CANARIES = (
    b"Anacanary", b"Verano", b"600000001", b"anacanary@", b"eczema", b"sourcecanary",
    b"areacanary", b"whycanary", b"Words", b"A subject", b"errorcanary",
    b"envelopecanary", b"wordscanary", b"replycanary", b"matchcanary", b"600000002", b"foundcanary",
    b"staffcanary", b"busycanary",
    b"600000003", b"toldcanary", b"faultcanary",
)  # fmt: skip
# Text that says nothing of anybody, or that SQL has to compare.
READABLE = {
    "patients": {"ref", "clinic", "timezone", "language", "channels", "bad_addresses",
                 "phone_key", "email_key"},
    "consents": {"channel", "how"},
    "consent_ledger": {"channel", "wish", "how", "by"},
    "protocol_versions": {"key", "digest", "document"},
    "approvals": {"protocol", "digest", "by", "texts"},
    "sessions": {"state", "tags"},
    "session_changes": {"state", "by"},
    "corrections": {"by"},
    "reminders": {
        "protocol", "milestone", "kind", "topics", "template", "channel", "state", "reason",
        "provider_id", "receipt",
    },
    "messages": {"channel", "transport", "language"},
    "attempts": {"outcome", "provider_id", "code", "token"},
    "callbacks": {"provider_id", "receipt", "code", "meaning"},
    "zone_changes": {"zone"},
    "replies": {"transport", "provider_id", "recipient", "decision", "done_by"},
    "incidents": {"severity", "acknowledged_by", "closed_by"},
    "alerts": {"key"},
    "answers": {
        "kind", "transport", "language", "state", "provider_id", "code", "token", "receipt",
    },
    "notes": {"key"},
    "objections": {"address", "channel"},
    "audit": {"by", "action", "what", "before", "after", "digest"},
}  # fmt: skip
VALUES = [(each.table, column) for each in TABLES for column in each.columns]


def live(path: Path, seal: Seal | None) -> None:
    """Ana was treated, staff decided something, and a message is in doubt; another person left."""
    outbox = EmbeddedOutbox(path, seal=seal)
    who = with_patient(
        outbox, name="Anacanary", email="anacanary@example.org",
        screening=frozenset({Screening.ECZEMA}),
    )  # fmt: skip
    gone = with_patient(outbox, name="Anacanary")
    why = Adjustment("Dr. Alba", "whycanary", off=True)
    session = with_session(outbox, who, area="areacanary", adjustments={"no-shower": why})
    (one,) = saved(outbox, a_reminder(session))
    taken = claimed(outbox, one)
    said = {SMS: Consent(False, NOW, "sourcecanary", words="wordscanary")}
    protocol = LIBRARY.find("mesotherapy").protocol
    sending = one._replace(state=State.SENDING, wake_at=None)
    with outbox.transaction():
        outbox.mark([replace(words(taken), envelope="envelopecanary")], NOW)
        outbox.update_patient(replace(who, consent=said), NOW)
        outbox.add_session_change(SessionChange(session, protocol, NOW, "Dr. Alba", "whycanary"))
        outbox.settle(
            [Settlement(taken.attempt_id, Outcome.IN_DOUBT, (sending,), error="errorcanary")], NOW
        )
        outbox.erase(replace(gone, consent=said), LATER)
    written = Reply("SM1", "+34600000001", "+34600000000", "replycanary")
    with outbox.transaction():
        outbox.keep_reply("twilio", written, NOW)
        outbox.reply_handled(1, Decision("staff", {"matched": "matchcanary"}), [1], NOW)
        outbox.link_reply(1, one.id or 0, "answercanary")
        outbox.keep_incident(
            Incident(1, Severity.URGENT, "+34600000002", (1,), (1,), NOW, NOW, why="foundcanary")
        )
        outbox.add_alert("incident/1", ["staffcanary@example.org"], NOW)
        (alert,) = outbox.waiting_alerts(NOW)
        outbox.keep_alert(replace(alert, tries=1, error="busycanary"))
        outbox.add_answer(
            Answer(
                1, AnswerKind.HELP, "+34600000003", "twilio", "en", "toldcanary", NOW, LATER, NOW
            )
        )
        (answer,) = outbox.due_answers("twilio", NOW, 1)
        outbox.save_answers([replace(answer, error="faultcanary")])
    outbox.close()


def known(path: Path, seal: Seal | None) -> object:
    """Everything that a person could ask for."""
    outbox = EmbeddedOutbox(path, seal=seal)
    (doubt,) = outbox.doubts_of(1)
    found = (
        outbox.patients(), outbox.sessions(), outbox.attempts(1), outbox.left(1), doubt,
        outbox.correspondence(1), outbox.facts([1]), outbox.last_sessions(None),
        outbox.replies(), outbox.incidents(False), outbox.alerts(""), outbox.answer_to(1),
        roll.patients(path, seal),
        outbox.objections([(SMS, "+34600000001")]),
    )  # fmt: skip
    outbox.close()
    return found


def shown(path: Path) -> set[bytes]:
    """What can be read in the database's files and in what lies beside it."""
    files = [each.read_bytes() for each in path.parent.glob(f"*{path.name}*")]
    return {each for each in CANARIES if any(each in data for data in files)}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same life in two databases."""
    folder = tmp_path_factory.mktemp("lived")
    for name, seal in (("sealed.db", SEAL), ("plain.db", None)):
        store.create(folder / name, seal=seal)
        live(folder / name, seal)
    return folder


@pytest.fixture
def sealed(tmp_path: Path, lived: Path) -> Path:
    return Path(shutil.copy(lived / "sealed.db", tmp_path))


@pytest.fixture
def plain(tmp_path: Path, lived: Path) -> Path:
    return Path(shutil.copy(lived / "plain.db", tmp_path))


def test_the_files_show_nobody_and_the_key_shows_everything(sealed: Path, plain: Path) -> None:
    with closing(connect(sealed)):  # so that the journal is there to be looked at
        assert shown(sealed) == set()
    assert shown(plain) == set(CANARIES)
    assert known(sealed, SEAL) == known(plain, None)


def test_of_every_column_with_text_it_was_decided_whether_it_is_encrypted(sealed: Path) -> None:
    with closing(connect(sealed)) as opened:
        columns = opened.execute(
            "SELECT tables.name, columns.name FROM sqlite_schema AS tables "
            "JOIN pragma_table_info(tables.name) AS columns WHERE tables.type = 'table' "
            "AND columns.type = 'TEXT' AND tables.name NOT LIKE '\\_%' ESCAPE '\\'"
        ).fetchall()
    decided = {(table, column) for table, names in READABLE.items() for column in names}
    assert decided.isdisjoint(VALUES)
    assert set(columns) <= decided | set(VALUES)


def test_a_backup_and_the_way_back_show_nobody(sealed: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    copy = tmp_path / "kept" / "sealed.db"
    back_up(sealed, copy)
    assert shown(copy) == set()
    restoring.restore(copy, sealed, LATER, SEAL)
    assert shown(sealed) == set()


def test_a_readable_backup_is_encrypted_on_its_way_back(sealed: Path, plain: Path) -> None:
    restoring.restore(plain, sealed, LATER, SEAL)
    assert shown(sealed) == set()
    assert known(sealed, SEAL) == known(plain, None)


@pytest.mark.parametrize("seal", [None, OTHER], ids=["no key", "another key"])
def test_a_backup_under_another_key_is_not_put_back(
    sealed: Path, plain: Path, seal: Seal | None
) -> None:
    before = plain.read_bytes()
    with pytest.raises(ConfigurationError, match=r"is encrypted|was encrypted"):
        restoring.restore(sealed, plain, LATER, seal)
    assert plain.read_bytes() == before


# Key and database that do not fit -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("seal", "says", "do"),
    [
        (None, "is encrypted, and no key is configured", f"the key {SEAL.key_id}"),
        (OTHER, f"another file is {OTHER.key_id}, and not {SEAL.key_id}", "encryption_key_file"),
    ],
    ids=["no key", "another key"],
)
def test_an_encrypted_database_wants_its_own_key(
    sealed: Path, seal: Seal | None, says: str, do: str
) -> None:
    for use in (lambda: EmbeddedOutbox(sealed, seal=seal), lambda: roll.patients(sealed, seal),
                lambda: list(soundness.examine(sealed, seal))):  # fmt: skip
        with pytest.raises(ConfigurationError, match=says) as caught:
            use()
        assert do in str(caught.value.remedy)


def test_nobody_may_believe_that_a_readable_database_is_encrypted(plain: Path) -> None:
    for use in (lambda: EmbeddedOutbox(plain, seal=SEAL), lambda: roll.patients(plain, SEAL),
                lambda: list(soundness.examine(plain, SEAL))):  # fmt: skip
        with pytest.raises(ConfigurationError, match="is not encrypted") as caught:
            use()
        assert "reminderd db encrypt" in str(caught.value.remedy)


def test_who_had_it_open_before_it_was_encrypted_writes_nothing_readable(plain: Path) -> None:
    early = EmbeddedOutbox(plain)
    encrypting.convert(plain, None, SEAL)
    with pytest.raises(TryAgainLater, match="just now"):
        with_patient(early, name="Anacanary")
    early.close()
    assert encrypting.finish(plain)
    assert shown(plain) == set()


# What somebody with write access could do -------------------------------------------------------


def tampered(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as opened:
        assert opened.execute(sql).rowcount > 0
        opened.commit()


@pytest.mark.parametrize(("table", "column"), VALUES)
@pytest.mark.parametrize(
    "change",
    ["substr({0}, 1, length({0}) - 4)", "'readable'"],
    ids=["cut", "readable"],
)
def test_every_value_that_was_changed_is_found_and_named(
    sealed: Path, table: str, column: str, change: str
) -> None:
    only = next(each.only for each in TABLES if each.table == table)
    sql = f"UPDATE {table} SET {column} = {change.format(column)} WHERE {column} LIKE 's1:%'"
    tampered(sealed, f"{sql} AND {only}")
    problems = [each for each in soundness.examine(sealed, SEAL) if each.level is Level.PROBLEM]
    assert [each.subject for each in problems] == ["encryption"] * len(problems)
    assert problems[0].message.startswith(f"{table}.{column} of row ")
    assert "readable" not in problems[0].message


def test_two_patients_numbers_that_were_swapped_are_noticed_before_anything_leaves(
    sealed: Path,
) -> None:
    outbox = EmbeddedOutbox(sealed, seal=SEAL)
    third = with_patient(outbox, name="Bo", phone="+34600000003")
    tampered(sealed, "UPDATE patients SET phone = (SELECT phone FROM patients AS other "
             f"WHERE other.id = 1) WHERE id = {third.id}")  # fmt: skip
    with pytest.raises(SealBroken, match=rf"patients\.phone of row {third.id}"):
        outbox.due_facts([third.id or 0], NOW)
    outbox.close()


# Going over ---------------------------------------------------------------------------------------


def test_a_database_goes_over_to_a_key_to_another_and_back_and_knows_the_same(plain: Path) -> None:
    before = known(plain, None)
    for old, new in ((None, SEAL), (SEAL, OTHER), (OTHER, None)):
        encrypting.convert(plain, old, new)
        assert encrypting.finish(plain)
        assert known(plain, new) == before
        assert shown(plain) == (set() if new else set(CANARIES))
        assert encrypting.key_of(plain) == (new.key_id if new else None)


def test_more_rows_than_a_page_go_over(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outbox = EmbeddedOutbox(plain)
    for _ in range(7):
        with_patient(outbox)
    outbox.close()
    before = known(plain, None)
    monkeypatch.setattr("reminderd.engines.tables.sealed.ROWS_AT_ONCE", 3)
    encrypting.convert(plain, None, SEAL)
    assert known(plain, SEAL) == before


def test_a_crash_before_the_old_bytes_are_gone_is_not_forgotten(plain: Path) -> None:
    encrypting.convert(plain, None, SEAL)  # and then the power fails
    assert shown(plain) != set()
    (said,) = [each for each in soundness.examine(plain, SEAL) if each.level is Level.PROBLEM]
    assert "reminderd db encrypt" in str(said.remedy)
    assert encrypting.finish(plain)
    assert shown(plain) == set()


def test_old_bytes_wait_for_whoever_is_in_the_way(plain: Path) -> None:
    with closing(connect(plain)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM patients").fetchall()
        encrypting.convert(plain, None, SEAL)
        assert not encrypting.finish(plain, patience_seconds=0.05)
    assert encrypting.finish(plain)
    assert shown(plain) == set()


def test_what_does_not_open_keeps_a_database_as_it_is(sealed: Path) -> None:
    tampered(sealed, "UPDATE messages SET text = 'readable'")
    with pytest.raises(SealBroken, match=r"messages\.text of row 1"):
        encrypting.convert(sealed, SEAL, OTHER)
    assert encrypting.key_of(sealed) == SEAL.key_id
    with pytest.raises(ConfigurationError, match=SEAL.key_id):
        encrypting.convert(sealed, OTHER, None)
