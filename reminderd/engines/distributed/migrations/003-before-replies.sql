-- What people write, what they are answered, and what staff are told of it.

-- What people wrote to a number of ours, once each, and what was decided. why is a JSON object,
-- for_staff is 1 while a person has to read it, and answered where the provider has answered it.
CREATE TABLE replies (
    id bigint PRIMARY KEY DEFAULT reserve('replies', 1),
    transport text COLLATE "C" NOT NULL,
    provider_id text COLLATE "C" NOT NULL,
    sender text COLLATE "C" NOT NULL,
    recipient text COLLATE "C" NOT NULL,
    text text COLLATE "C" NOT NULL,
    media integer NOT NULL,
    sent_at bigint,
    received_at bigint NOT NULL,
    handled_at bigint,
    decision text COLLATE "C",
    why text COLLATE "C" NOT NULL DEFAULT '{}',
    for_staff smallint NOT NULL DEFAULT 0 CHECK (for_staff IN (0, 1)),
    done_at bigint,
    done_by text COLLATE "C",
    answered smallint NOT NULL DEFAULT 0 CHECK (answered IN (0, 1)),
    UNIQUE (transport, provider_id)
);
CREATE INDEX replies_waiting ON replies (id) WHERE handled_at IS NULL;
CREATE INDEX replies_to ON replies (recipient);
CREATE INDEX replies_for_staff ON replies (id) WHERE for_staff = 1;

-- Who had that number when the reply was handled; a family may share one.
CREATE TABLE reply_patients (
    reply bigint NOT NULL REFERENCES replies (id),
    patient bigint NOT NULL REFERENCES patients (id),
    PRIMARY KEY (patient, reply)
);
CREATE INDEX reply_patients_by_reply ON reply_patients (reply);

-- Which check-in a reply belongs to, and what it answers, if anything: 1 to 5, or all-good.
CREATE TABLE check_replies (
    reply bigint PRIMARY KEY REFERENCES replies (id),
    reminder bigint NOT NULL REFERENCES reminders (id),
    answer text COLLATE "C"
);
CREATE INDEX check_replies_by_reminder ON check_replies (reminder);

-- What whoever wrote was told at once, by itself; at most one to each reply. token is the random id
-- by which the provider may speak of it, receipt what it said, worker who hands it over.
CREATE TABLE answers (
    id bigint PRIMARY KEY DEFAULT reserve('answers', 1),
    reply bigint NOT NULL UNIQUE REFERENCES replies (id),
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('safety', 'help')),
    number text COLLATE "C" NOT NULL,
    transport text COLLATE "C" NOT NULL,
    language text COLLATE "C" NOT NULL,
    text text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN (
        'waiting', 'marked', 'sent', 'unknown', 'failed', 'expired'
    )),
    tries integer NOT NULL DEFAULT 0,
    wake_at bigint,
    marked_at bigint,
    sent_at bigint,
    provider_id text COLLATE "C",
    code text COLLATE "C",
    error text COLLATE "C",
    token text COLLATE "C",
    receipt text COLLATE "C" CHECK (receipt IN (
        'queued', 'sent', 'delivered', 'undelivered', 'failed'
    )),
    worker bigint,
    CHECK ((state = 'waiting') = (wake_at IS NOT NULL))
);
CREATE INDEX answers_waiting ON answers (wake_at) WHERE state = 'waiting';
CREATE INDEX answers_marked ON answers (marked_at) WHERE marked_at IS NOT NULL;
CREATE INDEX answers_stranded ON answers (id) WHERE state IN ('unknown', 'failed', 'expired');
CREATE UNIQUE INDEX answers_by_token ON answers (token) WHERE token IS NOT NULL;
CREATE INDEX answers_by_provider_id ON answers (provider_id) WHERE provider_id IS NOT NULL;

-- Red flags that a person has to act on, one at a time for a number; open until closed_at.
-- raised_at is when the latest one came. A worse one takes an acknowledgement back.
CREATE TABLE incidents (
    id bigint PRIMARY KEY DEFAULT reserve('incidents', 1),
    severity text COLLATE "C" NOT NULL CHECK (severity IN ('emergency', 'urgent')),
    number text COLLATE "C" NOT NULL,
    opened_at bigint NOT NULL,
    raised_at bigint NOT NULL,
    acknowledged_at bigint,
    acknowledged_by text COLLATE "C",
    closed_at bigint,
    closed_by text COLLATE "C",
    why text COLLATE "C"
);
CREATE INDEX incidents_open ON incidents (id) WHERE closed_at IS NULL;

-- Who had that number, and the red flags.
CREATE TABLE incident_patients (
    incident bigint NOT NULL REFERENCES incidents (id),
    patient bigint NOT NULL REFERENCES patients (id),
    PRIMARY KEY (patient, incident)
);
CREATE INDEX incident_patients_by_incident ON incident_patients (incident);
CREATE TABLE incident_replies (
    incident bigint NOT NULL REFERENCES incidents (id),
    reply bigint NOT NULL REFERENCES replies (id),
    PRIMARY KEY (incident, reply)
);

-- What each recipient at the clinic is told, once: key says of what, place which of its recipients
-- this is. wake_at is when it is sent or tried again; null once it is sent, or given up.
CREATE TABLE alerts (
    id bigint PRIMARY KEY DEFAULT reserve('alerts', 1),
    key text COLLATE "C" NOT NULL,
    place integer NOT NULL,
    recipient text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL,
    wake_at bigint,
    tries integer NOT NULL DEFAULT 0,
    sent_at bigint,
    error text COLLATE "C",
    UNIQUE (key, place)
);
CREATE INDEX alerts_waiting ON alerts (wake_at) WHERE wake_at IS NOT NULL;
