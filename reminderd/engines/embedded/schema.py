"""The schema, in one place, as numbered migrations (sqlite-utils).

Instants are INTEGER milliseconds since 1970 in UTC: `datetime(due_at / 1000, 'unixepoch')` reads
one. Lists are joined with `;`. Every table is STRICT and every state is checked.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from reminderd.engines.embedded import first_ledger
from reminderd.engines.embedded.answer_tables import ANSWER_RECEIPTS, ANSWERS
from reminderd.engines.embedded.connection import Statements
from reminderd.engines.embedded.first_schema import FIRST, one_of
from reminderd.engines.tables import lookup
from reminderd.model import Channel, How, Outcome, Receipt, SessionState, Severity, Wish

if TYPE_CHECKING:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

    from reminderd.engines.embedded.connection import Connection
    from reminderd.sealing import Seal


SECOND = f"""
-- How a session was before each change of it; who changed it, and why if they said.
CREATE TABLE session_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session INTEGER NOT NULL REFERENCES sessions (id),
    protocol_version INTEGER NOT NULL REFERENCES protocol_versions (id),
    at INTEGER NOT NULL,
    state TEXT NOT NULL {one_of("state", SessionState)},
    adjustments TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    by TEXT NOT NULL,
    why TEXT
) STRICT;
CREATE INDEX session_changes_of_session ON session_changes (session);

-- Staff told the patient in person what holds instead of what a reminder had said.
CREATE TABLE corrections (
    reminder INTEGER PRIMARY KEY REFERENCES reminders (id),
    at INTEGER NOT NULL,
    by TEXT NOT NULL
) STRICT;

-- What staff noted at enrolment; a list of words, and no text speaks of it.
ALTER TABLE patients ADD COLUMN screening TEXT NOT NULL DEFAULT '';
"""


THIRD = """
-- What was signed, in full; null where it was signed before this was kept. texts is what the
-- templates said, in every language.
ALTER TABLE approvals ADD COLUMN protocol_version INTEGER REFERENCES protocol_versions (id);
ALTER TABLE approvals ADD COLUMN texts TEXT;
"""


DOUBT = """
-- While an attempt is in doubt: when evidence is looked for next, and how often it was.
ALTER TABLE attempts ADD COLUMN look_at INTEGER;
ALTER TABLE attempts ADD COLUMN looks INTEGER NOT NULL DEFAULT 0;
CREATE INDEX attempts_doubted ON attempts (look_at) WHERE look_at IS NOT NULL;

-- What a mail needs, beside its text, to be sent again byte for byte.
ALTER TABLE messages ADD COLUMN envelope TEXT;
"""


AUDIT = """
-- Who did what to whom. Each digest is over the one before it and its own row; the newest one is
-- also kept in notes. patient is the first of several where last_patient is set. No row refers to
-- another table: a row is for good.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    action TEXT NOT NULL,
    what TEXT NOT NULL,
    patient INTEGER,
    last_patient INTEGER,
    before TEXT NOT NULL,
    after TEXT NOT NULL,
    digest TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_goes_on BEFORE INSERT ON audit
WHEN NEW.id IS NOT (SELECT coalesce(max(id), 0) + 1 FROM audit)
BEGIN SELECT RAISE(ABORT, 'the audit trail only goes on at its end'); END;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is never changed'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is never shortened'); END;
"""


BY_PATIENT = """
-- Messages of one patient are counted day by day.
CREATE INDEX messages_of_patient ON messages (patient, created_at);
"""


ERASED = f"""
-- When everything personal of this patient was removed.
ALTER TABLE patients ADD COLUMN erased_at INTEGER;

-- Of people who were erased: keyed hashes of the addresses on which they had withdrawn consent.
CREATE TABLE objections (
    address TEXT PRIMARY KEY,
    channel TEXT NOT NULL {one_of("channel", Channel)},
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""


CALLBACKS = f"""
-- The random id of a hand-over, by which the provider may speak of it.
ALTER TABLE attempts ADD COLUMN token TEXT;
CREATE UNIQUE INDEX attempts_by_token ON attempts (token) WHERE token IS NOT NULL;
CREATE INDEX attempts_by_provider_id ON attempts (provider_id) WHERE provider_id IS NOT NULL;

-- What a provider told of a message by itself, once each. Applied by the thread that sends.
CREATE TABLE callbacks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    attempt INTEGER NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
    provider_id TEXT NOT NULL,
    receipt TEXT NOT NULL {one_of("receipt", Receipt)},
    code TEXT,
    meaning TEXT {one_of("meaning", Outcome)},
    received_at INTEGER NOT NULL,
    applied_at INTEGER,
    UNIQUE (provider_id, receipt)
) STRICT;
CREATE INDEX callbacks_of_attempt ON callbacks (attempt);
CREATE INDEX callbacks_waiting ON callbacks (id) WHERE applied_at IS NULL;
"""


ZONES = """
-- In which zone a patient lived until it was changed: what was told then, was told by its clocks.
CREATE TABLE zone_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    patient INTEGER NOT NULL REFERENCES patients (id),
    zone TEXT NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX zone_changes_of_patient ON zone_changes (patient);
"""


LEDGER = f"""
-- How it is known; every word before this column was there is from before the ledger.
ALTER TABLE consents ADD COLUMN how TEXT NOT NULL DEFAULT 'earlier' {one_of("how", How)};

-- Everything that was ever said about being written to. channel is null where it is about all of
-- them; at is when it was said. The present consents are the last words by `at`, then `id`.
CREATE TABLE consent_ledger (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    patient INTEGER NOT NULL REFERENCES patients (id),
    channel TEXT {one_of("channel", Channel)},
    wish TEXT NOT NULL {one_of("wish", Wish)},
    address TEXT,
    at INTEGER NOT NULL,
    how TEXT NOT NULL {one_of("how", How)},
    by TEXT NOT NULL,
    source TEXT NOT NULL,
    words TEXT,
    recorded_at INTEGER NOT NULL
) STRICT;
CREATE INDEX consent_ledger_of_patient ON consent_ledger (patient);
CREATE INDEX consent_ledger_replies ON consent_ledger (channel) WHERE how = 'reply';
INSERT INTO sqlite_sequence (name, seq) VALUES ('consent_ledger', 0);
CREATE TRIGGER consent_ledger_goes_on BEFORE INSERT ON consent_ledger
WHEN NEW.id <= (SELECT coalesce(max(id), 0) FROM consent_ledger)
BEGIN SELECT RAISE(ABORT, 'the consent ledger only goes on at its end'); END;
-- What is personal in a row can be removed, and encrypted otherwise; nothing else can.
CREATE TRIGGER consent_ledger_is_not_changed
BEFORE UPDATE OF id, patient, channel, wish, at, how, by, recorded_at ON consent_ledger
BEGIN SELECT RAISE(ABORT, 'the consent ledger is never changed'); END;
CREATE TRIGGER consent_ledger_is_not_shortened BEFORE DELETE ON consent_ledger
BEGIN SELECT RAISE(ABORT, 'the consent ledger is never shortened'); END;
"""


REPLIES = """
-- What people wrote to a number of ours, once each, and what was decided. why is a JSON object, and
-- for_staff is 1 while a person has to read it.
CREATE TABLE replies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    transport TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    text TEXT NOT NULL,
    media INTEGER NOT NULL,
    sent_at INTEGER,
    received_at INTEGER NOT NULL,
    handled_at INTEGER,
    decision TEXT,
    why TEXT NOT NULL DEFAULT '{}',
    for_staff INTEGER NOT NULL DEFAULT 0 CHECK (for_staff IN (0, 1)),
    done_at INTEGER,
    done_by TEXT,
    UNIQUE (transport, provider_id)
) STRICT;
CREATE INDEX replies_waiting ON replies (id) WHERE handled_at IS NULL;
CREATE INDEX replies_for_staff ON replies (id) WHERE for_staff = 1;
INSERT INTO sqlite_sequence (name, seq) VALUES ('replies', 0);

-- Who had that number when the reply was handled; a family may share one.
CREATE TABLE reply_patients (
    reply INTEGER NOT NULL REFERENCES replies (id),
    patient INTEGER NOT NULL REFERENCES patients (id),
    PRIMARY KEY (patient, reply)
) STRICT, WITHOUT ROWID;
CREATE INDEX reply_patients_by_reply ON reply_patients (reply);
"""


INCIDENTS = f"""
-- Red flags that a person has to act on, one at a time for a number; open until closed_at.
-- raised_at is when the latest one came. A worse one takes an acknowledgement back.
CREATE TABLE incidents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    severity TEXT NOT NULL {one_of("severity", Severity)},
    number TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    raised_at INTEGER NOT NULL,
    acknowledged_at INTEGER,
    acknowledged_by TEXT,
    closed_at INTEGER,
    closed_by TEXT,
    why TEXT
) STRICT;
CREATE INDEX incidents_open ON incidents (id) WHERE closed_at IS NULL;
INSERT INTO sqlite_sequence (name, seq) VALUES ('incidents', 0);

-- Who had that number, and the red flags.
CREATE TABLE incident_patients (
    incident INTEGER NOT NULL REFERENCES incidents (id),
    patient INTEGER NOT NULL REFERENCES patients (id),
    PRIMARY KEY (patient, incident)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_patients_by_incident ON incident_patients (incident);
CREATE TABLE incident_replies (
    incident INTEGER NOT NULL REFERENCES incidents (id),
    reply INTEGER NOT NULL REFERENCES replies (id),
    PRIMARY KEY (incident, reply)
) STRICT, WITHOUT ROWID;
"""


LOOKUP = """
-- By what a patient is found: number and address, or keyed hashes where the database is encrypted.
ALTER TABLE patients ADD COLUMN phone_key TEXT;
ALTER TABLE patients ADD COLUMN email_key TEXT;
CREATE INDEX patients_by_phone ON patients (phone_key) WHERE phone_key IS NOT NULL;
CREATE INDEX patients_by_email ON patients (email_key) WHERE email_key IS NOT NULL;
"""


ALERTS = """
-- What each recipient at the clinic is told, once: key says of what, place which of its recipients
-- this is. wake_at is when it is sent or tried again; null once it is sent, or given up.
CREATE TABLE alerts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    place INTEGER NOT NULL,
    recipient TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    wake_at INTEGER,
    tries INTEGER NOT NULL DEFAULT 0,
    sent_at INTEGER,
    error TEXT,
    UNIQUE (key, place)
) STRICT;
CREATE INDEX alerts_waiting ON alerts (wake_at) WHERE wake_at IS NOT NULL;
INSERT INTO sqlite_sequence (name, seq) VALUES ('alerts', 0);
"""


CHECK_INS = """
-- Which check-in a reply belongs to, and what it answers, if anything: 1 to 5, or all-good.
CREATE TABLE check_replies (
    reply INTEGER PRIMARY KEY REFERENCES replies (id),
    reminder INTEGER NOT NULL REFERENCES reminders (id),
    answer TEXT
) STRICT;
CREATE INDEX check_replies_by_reminder ON check_replies (reminder);
CREATE INDEX reminders_asked ON reminders (sent_at) WHERE kind = 'check' AND state = 'sent';
"""


def _fill_lookup(connection: "Connection", seal: "Seal | None") -> None:
    lookup.fill(Statements(connection), seal)


STEPS = {
    "001-first": FIRST,
    "002-what-changed": SECOND,
    "003-what-was-signed": THIRD,
    "004-doubt": DOUBT,
    "005-audit": AUDIT,
    "006-messages-of-a-patient": BY_PATIENT,
    "007-erased": ERASED,
    "008-callbacks": CALLBACKS,
    "009-zones": ZONES,
    "010-replies": REPLIES,
    "011-ledger": LEDGER,
    "012-incidents": INCIDENTS,
    "013-lookup": LOOKUP,
    "014-alerts": ALERTS,
    "015-check-ins": CHECK_INS,
    "016-answers": ANSWERS,
    "017-receipts-of-answers": ANSWER_RECEIPTS,
}
# What is done after a step, with the key of what is in the database.
FILLINGS = {"011-ledger": first_ledger.begin, "013-lookup": _fill_lookup}
VERSION = len(STEPS)  # kept in the file as PRAGMA user_version


def migrations(seal: "Seal | None" = None) -> "Migrations":
    """All steps from an empty file to the present schema; `seal` is that of what is in it."""
    from sqlite_utils.migrations import Migrations

    steps = Migrations("reminderd")
    for name, part in STEPS.items():
        steps(name=name)(_step(part, FILLINGS.get(name), seal))
    return steps


def _step(
    part: str, fill: "Callable[[Connection, Seal | None], None] | None", seal: "Seal | None"
) -> "Callable[[Database], None]":
    def step(db: "Database") -> None:
        _execute_all(db, part)
        if fill is not None:
            fill(db.conn, seal)

    return step


GUARDS = (
    "SELECT type || ' ' || name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') "
    "AND sql IS NOT NULL AND tbl_name <> '_sqlite_migrations'"
)


def guards() -> dict[str, str]:
    """The triggers and indexes of the present schema, the statement of each by kind and name."""
    from sqlite_utils import Database

    fresh = Database(memory=True)
    try:
        migrations().apply(fresh)
        return dict(fresh.execute(GUARDS).fetchall())
    finally:
        fresh.close()


def _execute_all(db: "Database", statements: str) -> None:
    for statement in statements.split(";\n"):
        if statement.strip():
            db.execute(statement)
