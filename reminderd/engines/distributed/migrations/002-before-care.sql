-- Patients, sessions, the outbox and what has left. Instants are milliseconds since 1970 in UTC,
-- flags 0 or 1, lists joined with `;`. Text compares by its bytes, whatever the database's locale.

-- A person in aftercare. timezone and language are the clinic's where null. phone_key and email_key
-- are by what one is found: number and address, or keyed hashes where the database is encrypted.
CREATE TABLE patients (
    id bigint PRIMARY KEY DEFAULT reserve('patients', 1),
    ref text COLLATE "C" UNIQUE,
    clinic text COLLATE "C" NOT NULL,
    given_name text COLLATE "C" NOT NULL,
    family_name text COLLATE "C" NOT NULL,
    phone text COLLATE "C",
    email text COLLATE "C",
    timezone text COLLATE "C",
    language text COLLATE "C",
    channels text COLLATE "C" NOT NULL,
    paused smallint NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
    bad_addresses text COLLATE "C" NOT NULL DEFAULT '',
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    screening text COLLATE "C" NOT NULL DEFAULT '',
    erased_at bigint,
    phone_key text COLLATE "C",
    email_key text COLLATE "C"
);
CREATE INDEX patients_by_phone ON patients (phone_key) WHERE phone_key IS NOT NULL;
CREATE INDEX patients_by_email ON patients (email_key) WHERE email_key IS NOT NULL;
-- Which clinics there are, and who is of one.
CREATE INDEX patients_of_clinic ON patients (clinic, id);

-- Whether the patient wants to hear from us on a channel, since when, and how we know.
CREATE TABLE consents (
    patient bigint NOT NULL REFERENCES patients (id),
    channel text COLLATE "C" NOT NULL CHECK (channel IN ('sms', 'email')),
    granted smallint NOT NULL CHECK (granted IN (0, 1)),
    at bigint NOT NULL,
    source text COLLATE "C" NOT NULL,
    how text COLLATE "C" NOT NULL DEFAULT 'earlier' CHECK (how IN (
        'earlier', 'enrolment', 'import', 'staff', 'reply', 'provider', 'unsubscribe', 'erasure'
    )),
    PRIMARY KEY (patient, channel)
);

-- Everything that was ever said about being written to. channel is null where it is about all of
-- them; at is when it was said. The present consents are the last words by `at`, then `id`.
CREATE TABLE consent_ledger (
    id bigint PRIMARY KEY DEFAULT reserve('consent_ledger', 1),
    patient bigint NOT NULL REFERENCES patients (id),
    channel text COLLATE "C" CHECK (channel IN ('sms', 'email')),
    wish text COLLATE "C" NOT NULL CHECK (wish IN ('granted', 'withdrawn', 'objected', 'settled')),
    address text COLLATE "C",
    at bigint NOT NULL,
    how text COLLATE "C" NOT NULL CHECK (how IN (
        'earlier', 'enrolment', 'import', 'staff', 'reply', 'provider', 'unsubscribe', 'erasure'
    )),
    by text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    words text COLLATE "C",
    recorded_at bigint NOT NULL
);
CREATE INDEX consent_ledger_of_patient ON consent_ledger (patient);
CREATE INDEX consent_ledger_replies ON consent_ledger (channel) WHERE how = 'reply';

-- Every text of a protocol that a session was recorded under, for good.
CREATE TABLE protocol_versions (
    id bigint PRIMARY KEY DEFAULT reserve('protocol_versions', 1),
    key text COLLATE "C" NOT NULL,
    revision integer NOT NULL,
    digest text COLLATE "C" NOT NULL UNIQUE,
    document text COLLATE "C" NOT NULL
);

-- Signatures; digest is over a protocol and the templates that it uses. protocol_version and texts
-- are what was signed, in full; null where it was signed before this was kept.
CREATE TABLE approvals (
    id bigint PRIMARY KEY DEFAULT reserve('approvals', 1),
    protocol text COLLATE "C" NOT NULL,
    revision integer NOT NULL,
    digest text COLLATE "C" NOT NULL,
    by text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    protocol_version bigint REFERENCES protocol_versions (id),
    texts text COLLATE "C"
);

-- A treatment. adjustments is a JSON object by milestone.
CREATE TABLE sessions (
    id bigint PRIMARY KEY DEFAULT reserve('sessions', 1),
    patient bigint NOT NULL REFERENCES patients (id),
    protocol_version bigint NOT NULL REFERENCES protocol_versions (id),
    at bigint NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('booked', 'done', 'cancelled', 'no-show')),
    tags text COLLATE "C" NOT NULL DEFAULT '',
    area text COLLATE "C",
    recorded_at bigint NOT NULL,
    adjustments text COLLATE "C" NOT NULL DEFAULT '{}'
);
CREATE INDEX sessions_of_patient ON sessions (patient);

-- How a session was before each change of it; who changed it, and why if they said.
CREATE TABLE session_changes (
    id bigint PRIMARY KEY DEFAULT reserve('session_changes', 1),
    session bigint NOT NULL REFERENCES sessions (id),
    protocol_version bigint NOT NULL REFERENCES protocol_versions (id),
    at bigint NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('booked', 'done', 'cancelled', 'no-show')),
    adjustments text COLLATE "C" NOT NULL,
    changed_at bigint NOT NULL,
    by text COLLATE "C" NOT NULL,
    why text COLLATE "C"
);
CREATE INDEX session_changes_of_session ON session_changes (session);

-- In which zone a patient lived until it was changed: what was told then, was told by its clocks.
CREATE TABLE zone_changes (
    id bigint PRIMARY KEY DEFAULT reserve('zone_changes', 1),
    patient bigint NOT NULL REFERENCES patients (id),
    zone text COLLATE "C" NOT NULL,
    changed_at bigint NOT NULL
);
CREATE INDEX zone_changes_of_patient ON zone_changes (patient);

-- The outbox: one milestone of one session, planned for one instant. The row is the schedule.
-- wake_at is when sending looks at it next; it is set exactly where it is scheduled, and is never
-- after the expiry. A patient's reminders are found by their sessions. clinic is the patient's, so
-- that what is due is found clinic by clinic; two triggers keep it right.
CREATE TABLE reminders (
    id bigint PRIMARY KEY DEFAULT reserve('reminders', 1),
    patient bigint NOT NULL REFERENCES patients (id),
    session bigint NOT NULL REFERENCES sessions (id),
    clinic text COLLATE "C" NOT NULL,
    protocol text COLLATE "C" NOT NULL,
    revision integer NOT NULL,
    milestone text COLLATE "C" NOT NULL,
    occurrence integer NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN (
        'restriction', 'release', 'check', 'routine', 'inform', 'course'
    )),
    topics text COLLATE "C" NOT NULL,
    template text COLLATE "C" NOT NULL,
    channel text COLLATE "C" CHECK (channel IN ('sms', 'email')),
    nominal_at bigint NOT NULL,
    due_at bigint,
    wake_at bigint,
    expires_at bigint NOT NULL,
    first_planned_at bigint NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN (
        'scheduled', 'held', 'sending', 'sent', 'failed', 'unknown', 'expired', 'cancelled',
        'skipped'
    )),
    reason text COLLATE "C" CHECK (reason IN (
        'past', 'quiet-hours', 'superseded', 'conflict', 'duplicate', 'booked', 'not-applicable',
        'override', 'no-address', 'no-consent', 'unapproved', 'paused', 'unconfirmed',
        'session-cancelled', 'opted-out', 'by-staff', 'erased', 'changed', 'late', 'rejected',
        'template'
    )),
    attempts integer NOT NULL DEFAULT 0,
    sent_at bigint,
    provider_id text COLLATE "C",
    receipt text COLLATE "C",
    needs_staff smallint NOT NULL DEFAULT 0 CHECK (needs_staff IN (0, 1)),
    UNIQUE (session, milestone, occurrence),
    CHECK ((state = 'scheduled') = (wake_at IS NOT NULL)),
    CHECK (wake_at <= expires_at),
    CHECK (state <> 'scheduled' OR channel IS NOT NULL)
);
-- What is finished stays in this table, so that nothing of a session is ever there twice and a
-- row never moves. But these indexes do not know of it: what lies ahead is found as fast as if it
-- were gone.
CREATE INDEX reminders_due ON reminders (clinic, wake_at, patient) WHERE state = 'scheduled';
-- Whosever it is. That something wakes by now is known to be rare; that something expires by now
-- is not, because all that is finished has, and then the whole table would be read.
CREATE INDEX reminders_waking ON reminders (wake_at) WHERE state = 'scheduled';
CREATE INDEX reminders_overdue ON reminders (due_at) WHERE state = 'scheduled';
CREATE INDEX reminders_of_patient ON reminders (patient, wake_at) WHERE state = 'scheduled';
CREATE INDEX reminders_held ON reminders (expires_at) WHERE state = 'held';
CREATE INDEX reminders_asked ON reminders (sent_at) WHERE kind = 'check' AND state = 'sent';
CREATE INDEX reminders_for_staff ON reminders (id) WHERE needs_staff = 1
OR state IN ('failed', 'unknown') OR state = 'expired' AND reason = 'unconfirmed'
OR receipt IN ('undelivered', 'failed');
-- Which pages of the table are of which time: a few bytes for each megabyte.
CREATE INDEX reminders_by_time ON reminders USING brin (due_at, expires_at);

-- The patient's row is held while it is read, so that a move to another clinic comes before or
-- after this reminder.
CREATE FUNCTION clinic_of_reminder() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    SELECT patients.clinic INTO NEW.clinic FROM reminderd.patients
    WHERE patients.id = NEW.patient FOR SHARE;
    RETURN NEW;
END
$$;
CREATE TRIGGER reminders_have_a_clinic BEFORE INSERT ON reminders
FOR EACH ROW EXECUTE FUNCTION clinic_of_reminder();

-- By way of the sessions: an index on the patient would be the largest of all, for this alone.
CREATE FUNCTION clinic_of_patient() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE reminderd.reminders SET clinic = NEW.clinic
    WHERE session IN (SELECT id FROM reminderd.sessions WHERE patient = NEW.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER patients_move_with_reminders AFTER UPDATE OF clinic ON patients
FOR EACH ROW WHEN (OLD.clinic <> NEW.clinic) EXECUTE FUNCTION clinic_of_patient();

-- Staff told the patient in person what holds instead of what a reminder had said.
CREATE TABLE corrections (
    reminder bigint PRIMARY KEY REFERENCES reminders (id),
    at bigint NOT NULL,
    by text COLLATE "C" NOT NULL
);

-- What leaves: one or more reminders of one patient, rendered for one channel. envelope is what a
-- mail needs, beside its text, to be sent again byte for byte.
CREATE TABLE messages (
    id bigint PRIMARY KEY DEFAULT reserve('messages', 1),
    patient bigint NOT NULL REFERENCES patients (id),
    channel text COLLATE "C" NOT NULL CHECK (channel IN ('sms', 'email')),
    transport text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    recipient text COLLATE "C",
    language text COLLATE "C",
    subject text COLLATE "C",
    text text COLLATE "C",
    html text COLLATE "C",
    segments integer,
    envelope text COLLATE "C"
);
CREATE INDEX messages_of_patient ON messages (patient, created_at);
CREATE INDEX messages_by_time ON messages USING brin (created_at);

CREATE TABLE message_reminders (
    reminder bigint NOT NULL REFERENCES reminders (id),
    message bigint NOT NULL REFERENCES messages (id),
    PRIMARY KEY (reminder, message)
);
CREATE INDEX message_reminders_by_message ON message_reminders (message);

-- One hand-over of a message to a transport. Only claimed: nothing has left. Marked: it may have.
-- While it is in doubt: look_at is when evidence is looked for next, looks how often it was. token
-- is a random id by which the provider may speak of it. worker is who claimed it.
CREATE TABLE attempts (
    id bigint PRIMARY KEY DEFAULT reserve('attempts', 1),
    message bigint NOT NULL REFERENCES messages (id),
    outcome text COLLATE "C" NOT NULL CHECK (outcome IN (
        'claimed', 'marked', 'accepted', 'returned', 'temporary', 'wrong-address', 'opted-out',
        'refused', 'credentials', 'in-doubt'
    )),
    claimed_at bigint NOT NULL,
    marked_at bigint,
    settled_at bigint,
    provider_id text COLLATE "C",
    code text COLLATE "C",
    error text COLLATE "C",
    look_at bigint,
    looks integer NOT NULL DEFAULT 0,
    token text COLLATE "C",
    worker bigint
);
CREATE INDEX attempts_of_message ON attempts (message);
CREATE INDEX attempts_open ON attempts (outcome) WHERE outcome IN ('claimed', 'marked');
CREATE INDEX attempts_doubted ON attempts (look_at) WHERE look_at IS NOT NULL;
CREATE UNIQUE INDEX attempts_by_token ON attempts (token) WHERE token IS NOT NULL;
CREATE INDEX attempts_by_provider_id ON attempts (provider_id) WHERE provider_id IS NOT NULL;

-- What a provider told of a message by itself, once each.
CREATE TABLE callbacks (
    id bigint PRIMARY KEY DEFAULT reserve('callbacks', 1),
    attempt bigint NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
    provider_id text COLLATE "C" NOT NULL,
    receipt text COLLATE "C" NOT NULL CHECK (receipt IN (
        'queued', 'sent', 'delivered', 'undelivered', 'failed'
    )),
    code text COLLATE "C",
    meaning text COLLATE "C" CHECK (meaning IN (
        'claimed', 'marked', 'accepted', 'returned', 'temporary', 'wrong-address', 'opted-out',
        'refused', 'credentials', 'in-doubt'
    )),
    received_at bigint NOT NULL,
    applied_at bigint,
    UNIQUE (provider_id, receipt)
);
CREATE INDEX callbacks_of_attempt ON callbacks (attempt);
CREATE INDEX callbacks_waiting ON callbacks (id) WHERE applied_at IS NULL;
CREATE INDEX callbacks_by_time ON callbacks USING brin (received_at);

-- What reminderd remembers about itself, such as the tzdata version that it planned by.
CREATE TABLE notes (
    key text COLLATE "C" PRIMARY KEY,
    value text COLLATE "C" NOT NULL
);
INSERT INTO notes (key, value)
VALUES ('installation', left(replace(gen_random_uuid()::text, '-', ''), 12));

-- Of people who were erased: keyed hashes of the addresses on which they had withdrawn consent.
CREATE TABLE objections (
    address text COLLATE "C" PRIMARY KEY,
    channel text COLLATE "C" NOT NULL CHECK (channel IN ('sms', 'email')),
    at bigint NOT NULL
);
