-- Everything of reminderd stands in one schema; this table says which steps led to it. digest is
-- over the text of the step.
CREATE SCHEMA IF NOT EXISTS reminderd;
CREATE TABLE migrations (
    name text COLLATE "C" PRIMARY KEY,
    digest text COLLATE "C" NOT NULL,
    at bigint NOT NULL
);
