"""Where automatic answers are kept, and how nothing personal stays of them."""

from reminderd.engines.embedded.first_schema import one_of
from reminderd.words import AnswerKind, AnswerState, Receipt

ANSWERS = f"""
-- 1 where the provider has answered the reply by itself.
ALTER TABLE replies ADD COLUMN answered INTEGER NOT NULL DEFAULT 0 CHECK (answered IN (0, 1));

-- What whoever wrote was told at once, by itself; at most one to each reply.
CREATE TABLE answers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    reply INTEGER NOT NULL UNIQUE REFERENCES replies (id),
    kind TEXT NOT NULL {one_of("kind", AnswerKind)},
    number TEXT NOT NULL,
    transport TEXT NOT NULL,
    language TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state TEXT NOT NULL {one_of("state", AnswerState)},
    tries INTEGER NOT NULL DEFAULT 0,
    wake_at INTEGER,
    marked_at INTEGER,
    sent_at INTEGER,
    provider_id TEXT,
    code TEXT,
    error TEXT,
    CHECK ((state = 'waiting') = (wake_at IS NOT NULL))
) STRICT;
CREATE INDEX answers_waiting ON answers (wake_at) WHERE state = 'waiting';
CREATE INDEX answers_marked ON answers (marked_at) WHERE marked_at IS NOT NULL;
CREATE INDEX answers_stranded ON answers (id) WHERE state IN ('unknown', 'failed', 'expired');
INSERT INTO sqlite_sequence (name, seq) VALUES ('answers', 0);
"""

ANSWER_RECEIPTS = f"""
-- The random id by which the provider may speak of it, and what it said has become of it.
ALTER TABLE answers ADD COLUMN token TEXT;
ALTER TABLE answers ADD COLUMN receipt TEXT {one_of("receipt", Receipt)};
CREATE UNIQUE INDEX answers_by_token ON answers (token) WHERE token IS NOT NULL;
CREATE INDEX answers_by_provider_id ON answers (provider_id) WHERE provider_id IS NOT NULL;
"""
