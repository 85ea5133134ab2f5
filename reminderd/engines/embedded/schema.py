"""The schema, in one place, as numbered migrations (sqlite-utils).

Instants are INTEGER milliseconds since 1970 in UTC: `datetime(due_at / 1000, 'unixepoch')` reads
one. Lists are joined with `;`. Every table is STRICT and every state is checked.
"""

from typing import TYPE_CHECKING

from reminderd.model import Channel, Kind, Outcome, Reason, Receipt, SessionState, State

if TYPE_CHECKING:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations


def _one_of(
    column: str, words: type[Channel | Kind | Outcome | Reason | Receipt | SessionState | State]
) -> str:
    # Chained ORs end at the first that holds; for an IN list SQLite builds a table for every row.
    cases = " OR ".join(f"{column} = '{word.value}'" for word in words)
    return f"CHECK ({column} IS NULL OR {cases})"


FIRST = f"""
-- A person in aftercare. timezone and language are the clinic's where null.
CREATE TABLE patients (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    ref TEXT UNIQUE,
    clinic TEXT NOT NULL,
    given_name TEXT NOT NULL,
    family_name TEXT NOT NULL,
    phone TEXT,
    email TEXT,
    timezone TEXT,
    language TEXT,
    channels TEXT NOT NULL,
    paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
    bad_addresses TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

-- Whether the patient wants to hear from us on a channel, since when, and how we know.
CREATE TABLE consents (
    patient INTEGER NOT NULL REFERENCES patients (id),
    channel TEXT NOT NULL {_one_of("channel", Channel)},
    granted INTEGER NOT NULL CHECK (granted IN (0, 1)),
    at INTEGER NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (patient, channel)
) STRICT, WITHOUT ROWID;

-- Every text of a protocol that a session was recorded under, for good.
CREATE TABLE protocol_versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    revision INTEGER NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL
) STRICT;

-- Signatures; digest is over a protocol and the templates that it uses.
CREATE TABLE approvals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    protocol TEXT NOT NULL,
    revision INTEGER NOT NULL,
    digest TEXT NOT NULL,
    by TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- A treatment. adjustments is a JSON object by milestone.
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    patient INTEGER NOT NULL REFERENCES patients (id),
    protocol_version INTEGER NOT NULL REFERENCES protocol_versions (id),
    at INTEGER NOT NULL,
    state TEXT NOT NULL {_one_of("state", SessionState)},
    tags TEXT NOT NULL DEFAULT '',
    area TEXT,
    recorded_at INTEGER NOT NULL,
    adjustments TEXT NOT NULL DEFAULT '{{}}'
) STRICT;
CREATE INDEX sessions_of_patient ON sessions (patient);

-- The outbox: one milestone of one session, planned for one instant. The row is the schedule.
-- wake_at is when sending looks at it next; it is set exactly where it is scheduled, and is never
-- after the expiry. A patient's reminders are found by their sessions.
CREATE TABLE reminders (
    id INTEGER PRIMARY KEY,
    patient INTEGER NOT NULL REFERENCES patients (id),
    session INTEGER NOT NULL REFERENCES sessions (id),
    protocol TEXT NOT NULL,
    revision INTEGER NOT NULL,
    milestone TEXT NOT NULL,
    occurrence INTEGER NOT NULL,
    kind TEXT NOT NULL {_one_of("kind", Kind)},
    topics TEXT NOT NULL,
    template TEXT NOT NULL,
    channel TEXT {_one_of("channel", Channel)},
    nominal_at INTEGER NOT NULL,
    due_at INTEGER,
    wake_at INTEGER,
    expires_at INTEGER NOT NULL,
    first_planned_at INTEGER NOT NULL,
    state TEXT NOT NULL {_one_of("state", State)},
    reason TEXT {_one_of("reason", Reason)},
    attempts INTEGER NOT NULL DEFAULT 0,
    sent_at INTEGER,
    provider_id TEXT,
    receipt TEXT,
    needs_staff INTEGER NOT NULL DEFAULT 0 CHECK (needs_staff IN (0, 1)),
    UNIQUE (session, milestone, occurrence),
    CHECK ((state = 'scheduled') = (wake_at IS NOT NULL)),
    CHECK (wake_at <= expires_at),
    CHECK (state <> 'scheduled' OR channel IS NOT NULL)
) STRICT;
CREATE INDEX reminders_due ON reminders (wake_at, patient) WHERE state = 'scheduled';
CREATE INDEX reminders_held ON reminders (expires_at) WHERE state = 'held';

-- What leaves: one or more reminders of one patient, rendered for one channel.
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    patient INTEGER NOT NULL REFERENCES patients (id),
    channel TEXT NOT NULL {_one_of("channel", Channel)},
    transport TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    recipient TEXT,
    language TEXT,
    subject TEXT,
    text TEXT,
    html TEXT,
    segments INTEGER
) STRICT;
CREATE TABLE message_reminders (
    reminder INTEGER NOT NULL REFERENCES reminders (id),
    message INTEGER NOT NULL REFERENCES messages (id),
    PRIMARY KEY (reminder, message)
) STRICT, WITHOUT ROWID;

-- One hand-over of a message to a transport. Only claimed: nothing has left. Marked: it may have.
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL REFERENCES messages (id),
    outcome TEXT NOT NULL {_one_of("outcome", Outcome)},
    claimed_at INTEGER NOT NULL,
    marked_at INTEGER,
    settled_at INTEGER,
    provider_id TEXT,
    code TEXT,
    error TEXT
) STRICT;
CREATE INDEX attempts_of_message ON attempts (message);
CREATE INDEX attempts_open ON attempts (outcome) WHERE outcome IN ('claimed', 'marked');

-- What reminderd remembers about itself, such as the tzdata version that it planned by.
CREATE TABLE notes (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The highest id that was ever given in a table, so that no id ever names two things. Reminders
-- come by the thousand and count here without AUTOINCREMENT, which counts again for every row.
INSERT INTO sqlite_sequence (name, seq)
VALUES ('patients', 0), ('sessions', 0), ('reminders', 0), ('messages', 0), ('attempts', 0);
"""


SECOND = f"""
-- How a session was before each change of it; who changed it, and why if they said.
CREATE TABLE session_changes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session INTEGER NOT NULL REFERENCES sessions (id),
    protocol_version INTEGER NOT NULL REFERENCES protocol_versions (id),
    at INTEGER NOT NULL,
    state TEXT NOT NULL {_one_of("state", SessionState)},
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
    channel TEXT NOT NULL {_one_of("channel", Channel)},
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
    receipt TEXT NOT NULL {_one_of("receipt", Receipt)},
    code TEXT,
    meaning TEXT {_one_of("meaning", Outcome)},
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


VERSION = 9  # raised with every migration; kept in the file as PRAGMA user_version


def migrations() -> "Migrations":
    """All steps from an empty file to the present schema."""
    from sqlite_utils.migrations import Migrations

    steps = Migrations("reminderd")

    @steps(name="001-first")
    def first(db: "Database") -> None:
        _execute_all(db, FIRST)

    @steps(name="002-what-changed")
    def what_changed(db: "Database") -> None:
        _execute_all(db, SECOND)

    @steps(name="003-what-was-signed")
    def what_was_signed(db: "Database") -> None:
        _execute_all(db, THIRD)

    @steps(name="004-doubt")
    def doubt(db: "Database") -> None:
        _execute_all(db, DOUBT)

    @steps(name="005-audit")
    def audit(db: "Database") -> None:
        _execute_all(db, AUDIT)

    @steps(name="006-messages-of-a-patient")
    def messages_of_a_patient(db: "Database") -> None:
        _execute_all(db, BY_PATIENT)

    @steps(name="007-erased")
    def erased(db: "Database") -> None:
        _execute_all(db, ERASED)

    @steps(name="008-callbacks")
    def callbacks(db: "Database") -> None:
        _execute_all(db, CALLBACKS)

    @steps(name="009-zones")
    def zones(db: "Database") -> None:
        _execute_all(db, ZONES)

    return steps


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
