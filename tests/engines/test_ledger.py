"""What every engine's outbox keeps of what was said about being written to."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlite_utils import Database

from reminderd.consents import Statement
from reminderd.engines.embedded import connection, schema, store
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.engines.tables.outbox import TablesOutbox
from reminderd.engines.tables.sealed import note_key
from reminderd.errors import ConfigurationError, ReminderdError
from reminderd.model import Consent, How, Wish
from reminderd.sealing import Seal, closed, places
from tests.engines.rows import EITHER_WAY, EMAIL, LATER, NOW, SEAL, SMS, problems, with_patient

NUMBER = "+34600000001"
WITHDRAWN = Consent(False, NOW, "text message", How.REPLY, "patient", "STOP, please")


@EITHER_WAY
def test_each_word_is_kept_with_everything_about_it_and_the_last_one_is_present(
    outbox: TablesOutbox,
) -> None:
    who = with_patient(outbox)
    with outbox.transaction():
        outbox.update_patient(replace(who, consent={**who.consent, SMS: WITHDRAWN}), LATER)
    first, second, last = outbox.statements(who.id or 0)
    assert [(each.channel, each.wish) for each in (first, second)] == [
        (SMS, Wish.GRANTED), (EMAIL, Wish.GRANTED),
    ]  # fmt: skip
    assert last == Statement(
        who.id or 0, SMS, Wish.WITHDRAWN, NUMBER, NOW, How.REPLY, "patient", "text message",
        "STOP, please", LATER,
    )  # fmt: skip
    found = outbox.find_patient(f"pat-{who.id}")
    assert found is not None
    assert found.consent == {**who.consent, SMS: WITHDRAWN}
    assert problems(outbox) == []


@EITHER_WAY
def test_what_was_known_is_not_said_again(outbox: TablesOutbox) -> None:
    who = with_patient(outbox)
    precise = Consent(True, NOW + timedelta(microseconds=1234), "form")
    with outbox.transaction():
        for _ in range(2):
            outbox.update_patient(replace(who, consent={**who.consent, SMS: precise}), NOW)
    assert len(outbox.statements(who.id or 0)) == 3


@EITHER_WAY
def test_everybody_with_a_number_is_found_and_nobody_else(outbox: TablesOutbox) -> None:
    for name, phone in (("Vera", NUMBER), ("Ana", NUMBER), ("Bo", "+346000000012"), ("Cy", None)):
        with_patient(outbox, name=name, phone=phone)
    assert [each.given_name for each in outbox.patients_with(SMS, NUMBER)] == ["Vera", "Ana"]
    assert len(outbox.patients_with(EMAIL, "Vera@Example.org")) == 4


@EITHER_WAY
def test_an_erasure_leaves_when_somebody_had_agreed_and_nothing_personal(
    outbox: TablesOutbox,
) -> None:
    who = with_patient(outbox)
    asked = replace(who, consent={**who.consent, SMS: WITHDRAWN})
    with outbox.transaction():
        outbox.update_patient(asked, NOW)
        outbox.erase(asked, LATER)
    told = outbox.statements(who.id or 0)
    assert {(each.address, each.source, each.words) for each in told} == {(None, "", None)}
    assert [(each.channel, each.wish, each.how) for each in told][-2:] == [
        (SMS, Wish.WITHDRAWN, How.REPLY), (EMAIL, Wish.WITHDRAWN, How.ERASURE),
    ]  # fmt: skip
    assert problems(outbox) == []
    assert list(outbox.objections([(SMS, NUMBER)])) == [(SMS, NUMBER)]


@EITHER_WAY
def test_what_changes_no_consent_is_kept_too(outbox: TablesOutbox) -> None:
    who, other = with_patient(outbox), with_patient(outbox)
    said = Statement(
        who.id or 0, None, Wish.OBJECTED, None, NOW, How.STAFF, "ana", "telephone", "leave me be",
        LATER,
    )  # fmt: skip
    with outbox.transaction():
        outbox.add_statement(said)
    assert outbox.statements(who.id or 0)[-1] == said
    assert outbox.objectors() == []
    paused = replace(who, paused=True)
    with outbox.transaction():
        outbox.update_patient(paused, LATER)
        outbox.update_patient(replace(other, paused=True), LATER)
    assert outbox.objectors() == [paused]
    assert problems(outbox) == []


@EITHER_WAY
def test_every_word_of_a_number_is_found_whoever_has_it(outbox: TablesOutbox) -> None:
    for phone in (NUMBER, NUMBER, "+34600000002"):
        who = with_patient(outbox, phone=phone)
        with outbox.transaction():
            outbox.update_patient(replace(who, consent={**who.consent, SMS: WITHDRAWN}), LATER)
    by_mail = replace(with_patient(outbox), consent={EMAIL: replace(WITHDRAWN, how=How.STAFF)})
    with outbox.transaction():
        outbox.update_patient(by_mail, LATER)
    stops = outbox.stops(NUMBER)
    assert [(each.patient_id, each.wish) for each in stops] == [
        (1, Wish.WITHDRAWN), (2, Wish.WITHDRAWN),
    ]  # fmt: skip
    assert outbox.stops("+34600000009") == []


def test_the_secret_is_made_once_and_stays(outbox: TablesOutbox) -> None:
    assert outbox.secret() is None
    with outbox.transaction():
        made = outbox.make_secret()
        assert outbox.make_secret() == made
    assert len(made) >= 16
    assert outbox.secret() == made


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM consent_ledger",
        "UPDATE consent_ledger SET wish = 'granted'",
        "UPDATE consent_ledger SET at = 0",
    ],
)
def test_the_ledger_is_only_added_to(outbox: TablesOutbox, sql: str) -> None:
    with_patient(outbox)
    with pytest.raises(ReminderdError, match="the consent ledger"), outbox.transaction():
        outbox.execute(sql)


def test_nothing_is_put_between_what_an_sqlite_file_says(on_sqlite: EmbeddedOutbox) -> None:
    with_patient(on_sqlite)
    names = "channel, wish, address, at, how, by, source, words, recorded_at"
    between = f"SELECT id - 9, patient, {names} FROM consent_ledger LIMIT 1"
    with pytest.raises(ReminderdError, match="the consent ledger"), on_sqlite.transaction():
        on_sqlite.execute(f"INSERT INTO consent_ledger {between}")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE consents SET granted = 0 WHERE channel = 'sms'",
        "UPDATE consents SET at = at + 1",
        "DELETE FROM consents WHERE channel = 'email'",
    ],
)
def test_a_consent_that_is_not_the_last_word_is_found(outbox: TablesOutbox, sql: str) -> None:
    who = with_patient(outbox)
    with outbox.transaction():
        outbox.execute(sql)
    assert problems(outbox) == [f"pat-{who.id}: not what the ledger says last"]


# From before it was kept -------------------------------------------------------------------------


def before_the_ledger(path: Path, seal: Seal | None) -> Path:
    """Vera has agreed to texts, and withdrawn consent for mail."""
    with closing(connection.connect(path, create=True)) as old:
        schema.migrations().apply(Database(old), stop_before="011-ledger")
        note_key(old, seal)
        who = (1, "main", "Vera", "", NUMBER, "vera@example.org", "sms;email", 0, 0)
        names = (
            "id, clinic, given_name, family_name, phone, email, channels, created_at, updated_at"
        )
        old.execute(
            f"INSERT INTO patients ({names}) VALUES ({', '.join('?' * 9)})",
            closed(who, places("patients", names), 1, seal),
        )
        for channel, granted in (("sms", 1), ("email", 0)):
            said = (1, channel, granted, 1000, "a form")
            names = "patient, channel, granted, at, source"
            old.execute(
                f"INSERT INTO consents ({names}) VALUES (?, ?, ?, ?, ?)",
                closed(said, places("consents", names), f"1/{channel}", seal),
            )
        old.execute("PRAGMA user_version = 10")
        old.commit()
    return path


@pytest.mark.parametrize("seal", [None, SEAL], ids=["plain", "encrypted"])
def test_the_ledger_begins_with_what_was_known(tmp_path: Path, seal: Seal | None) -> None:
    path = before_the_ledger(tmp_path / "old.db", seal)
    assert store.create(path, seal=seal)
    outbox = EmbeddedOutbox(path, seal=seal)
    told = outbox.statements(1)
    assert {(each.channel, each.wish, each.address, each.how, each.source) for each in told} == {
        (SMS, Wish.GRANTED, NUMBER, How.EARLIER, "a form"),
        (EMAIL, Wish.WITHDRAWN, "vera@example.org", How.EARLIER, "a form"),
    }
    assert problems(outbox) == []
    outbox.close()


@pytest.mark.parametrize("key", [None, Seal(bytes(32), "another file")], ids=["none", "another"])
def test_an_encrypted_database_is_not_brought_up_to_date_without_its_key(
    tmp_path: Path, key: Seal | None
) -> None:
    path = before_the_ledger(tmp_path / "old.db", SEAL)
    with pytest.raises(ConfigurationError, match="key"):
        store.create(path, seal=key)
    with closing(connection.connect(path)) as opened:
        assert opened.execute("PRAGMA user_version").fetchone()[0] == 10
