-- When the server tidies up, in tables that grow without an end.

-- By default it waits until a fifth of a table has changed. In a hundred million rows that is weeks
-- of dead entries at the start of what is due, and of a planner that knows last month's instants.
-- There is no room left in pages for new versions: a row that changes its state enters every index
-- anew, wherever it lies.
ALTER TABLE reminders SET (
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.01
);
ALTER TABLE messages SET (
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);
ALTER TABLE attempts SET (
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);
ALTER TABLE message_reminders SET (
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);

-- A few rows that are written again all the time: there a page has room for new versions.
ALTER TABLE notes SET (fillfactor = 50);
