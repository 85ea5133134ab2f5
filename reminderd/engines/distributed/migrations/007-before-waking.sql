-- How a worker hears of a change at once.

-- Tell every worker that was seen within so many milliseconds to look, once this transaction ends:
-- a job in the queue that bears its number. One that waits already is told again, and is locked
-- until then, so that nobody looks too early. A job queue that does not work keeps nobody from
-- writing: the next beat finds what was written.
CREATE FUNCTION wake(seen_within bigint) RETURNS void
LANGUAGE plpgsql SET search_path = procrastinate, pg_catalog SET lock_timeout = '1s' AS $$
DECLARE
    job record;
BEGIN
    FOR job IN
        INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock)
        SELECT 'worker-' || id, 'drain', 'worker-' || id
        FROM reminderd.workers
        WHERE seen_at > reminderd.clock_ms() - seen_within
        ORDER BY id
        ON CONFLICT (queueing_lock) WHERE status = 'todo' DO UPDATE SET priority = 0
        RETURNING id, queue_name
    LOOP
        PERFORM pg_notify(
            'procrastinate_queue_v1#' || job.queue_name,
            json_build_object('type', 'job_inserted', 'job_id', job.id)::text
        );
    END LOOP;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'no worker was woken: %', SQLERRM;
END
$$;

-- Drop the jobs that nobody will do: those of workers that are gone, and what a job queue that was
-- killed had begun. Needs the same number of milliseconds.
CREATE FUNCTION sweep(seen_within bigint) RETURNS void
LANGUAGE plpgsql SET search_path = procrastinate, pg_catalog AS $$
BEGIN
    DELETE FROM procrastinate_workers
    WHERE last_heartbeat < now() - seen_within * interval '1 ms';
    DELETE FROM procrastinate_jobs AS job
    WHERE status <> 'todo' AND worker_id IS NULL
    OR EXISTS (
        SELECT 1 FROM procrastinate_events
        WHERE job_id = job.id HAVING max(at) < now() - interval '10 minutes'
    )
    OR queue_name LIKE 'worker-%' AND queue_name NOT IN (
        SELECT 'worker-' || id FROM reminderd.workers
        WHERE seen_at > reminderd.clock_ms() - seen_within
    );
END
$$;
