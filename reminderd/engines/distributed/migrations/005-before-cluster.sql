-- What the machines of one cluster know of each other, by the clock of the database.

-- Who works on this outbox. schema is the highest step that the worker's program knows, jobs the
-- version of its job queue; seen_at is when it was heard of last.
CREATE TABLE workers (
    id bigint PRIMARY KEY DEFAULT reserve('workers', 1),
    name text COLLATE "C" NOT NULL,
    schema integer NOT NULL,
    jobs text COLLATE "C" NOT NULL DEFAULT '',
    started_at bigint NOT NULL DEFAULT clock_ms(),
    seen_at bigint NOT NULL DEFAULT clock_ms()
) WITH (fillfactor = 50);

-- What only one worker does at a time, who that is, and until when nobody else does.
CREATE TABLE turns (
    name text COLLATE "C" PRIMARY KEY,
    worker bigint NOT NULL,
    until bigint NOT NULL
) WITH (fillfactor = 50);

-- How fast all workers together hand over to a transport: the messages that may leave at once, as
-- counted at that instant.
CREATE TABLE paces (
    transport text COLLATE "C" PRIMARY KEY,
    tokens double precision NOT NULL,
    at bigint NOT NULL
) WITH (fillfactor = 50);
