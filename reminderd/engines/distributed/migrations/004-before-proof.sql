-- What proves what was done: rows that are only ever added.

-- Who did what to whom. Each digest is over the one before it and its own row; the newest one is
-- also kept in notes. patient is the first of several where last_patient is set. No row refers to
-- another table: a row is for good.
CREATE TABLE audit (
    id bigint PRIMARY KEY,
    at bigint NOT NULL,
    by text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    what text COLLATE "C" NOT NULL,
    patient bigint,
    last_patient bigint,
    before text COLLATE "C" NOT NULL,
    after text COLLATE "C" NOT NULL,
    digest text COLLATE "C" NOT NULL
);

-- Refuses what a trigger stands for, with the words that the trigger gives it.
CREATE FUNCTION refused() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE FUNCTION audit_goes_on() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IS DISTINCT FROM (SELECT coalesce(max(id), 0) + 1 FROM reminderd.audit) THEN
        RAISE EXCEPTION 'the audit trail only goes on at its end'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER audit_goes_on BEFORE INSERT ON audit
FOR EACH ROW EXECUTE FUNCTION audit_goes_on();
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
FOR EACH ROW EXECUTE FUNCTION refused('the audit trail is never changed');
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION refused('the audit trail is never shortened');
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION refused('the audit trail is never shortened');

-- What is personal in a row of the ledger can be removed, and encrypted otherwise; nothing else
-- can. Two transactions may end in another order than that of their numbers, so these need not
-- rise.
CREATE TRIGGER consent_ledger_is_not_changed
BEFORE UPDATE OF id, patient, channel, wish, at, how, by, recorded_at ON consent_ledger
FOR EACH ROW EXECUTE FUNCTION refused('the consent ledger is never changed');
CREATE TRIGGER consent_ledger_is_not_shortened BEFORE DELETE ON consent_ledger
FOR EACH ROW EXECUTE FUNCTION refused('the consent ledger is never shortened');
CREATE TRIGGER consent_ledger_is_not_emptied BEFORE TRUNCATE ON consent_ledger
FOR EACH STATEMENT EXECUTE FUNCTION refused('the consent ledger is never shortened');
