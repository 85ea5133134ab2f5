-- How numbers are given, and what time it is.

-- The counters of all tables whose rows are known by a number. A number is never given twice, also
-- where what was to have it was undone or is gone.
CREATE SEQUENCE patients_ids;
CREATE SEQUENCE consent_ledger_ids;
CREATE SEQUENCE protocol_versions_ids;
CREATE SEQUENCE approvals_ids;
CREATE SEQUENCE sessions_ids;
CREATE SEQUENCE session_changes_ids;
CREATE SEQUENCE zone_changes_ids;
CREATE SEQUENCE reminders_ids;
CREATE SEQUENCE messages_ids;
CREATE SEQUENCE attempts_ids;
CREATE SEQUENCE callbacks_ids;
CREATE SEQUENCE replies_ids;
CREATE SEQUENCE answers_ids;
CREATE SEQUENCE incidents_ids;
CREATE SEQUENCE alerts_ids;
CREATE SEQUENCE workers_ids;

-- The first of `count` numbers in a row for new rows of a table; nobody else gets one of them.
-- With a count of 0: the number that is free now, without taking it.
CREATE FUNCTION reserve(of_table text, count bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    ids regclass := format('reminderd.%I', of_table || '_ids');
    first bigint;
BEGIN
    IF count < 1 THEN
        EXECUTE format('SELECT last_value + is_called::int FROM %s', ids) INTO first;
        RETURN first;
    END IF;
    -- One at a time between the two calls. The lock is given back with what is undone here, so
    -- that nobody waits for the end of a transaction; counters are never undone.
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtextextended('reminderd.' || of_table, 0));
        first := nextval(ids);
        PERFORM setval(ids, first + count - 1);
        RAISE SQLSTATE 'RESVD';
    EXCEPTION WHEN SQLSTATE 'RESVD' THEN
        RETURN first;
    END;
END
$$;

-- Milliseconds since 1970 in UTC by the clock of the database, also within a transaction.
CREATE FUNCTION clock_ms() RETURNS bigint
LANGUAGE sql VOLATILE AS $$
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint
$$;
