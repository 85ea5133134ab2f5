"""The first schema, and how a column of words is checked; the steps from there: `schema.py`."""

from enum import StrEnum

from reminderd.model import Channel, Kind, Outcome, Reason, SessionState, State


def one_of(column: str, words: type[StrEnum]) -> str:
    """The check that a column holds one of these words, or nothing."""
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
    channel TEXT NOT NULL {one_of("channel", Channel)},
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
    state TEXT NOT NULL {one_of("state", SessionState)},
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
    kind TEXT NOT NULL {one_of("kind", Kind)},
    topics TEXT NOT NULL,
    template TEXT NOT NULL,
    channel TEXT {one_of("channel", Channel)},
    nominal_at INTEGER NOT NULL,
    due_at INTEGER,
    wake_at INTEGER,
    expires_at INTEGER NOT NULL,
    first_planned_at INTEGER NOT NULL,
    state TEXT NOT NULL {one_of("state", State)},
    reason TEXT {one_of("reason", Reason)},
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
    channel TEXT NOT NULL {one_of("channel", Channel)},
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
    outcome TEXT NOT NULL {one_of("outcome", Outcome)},
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
