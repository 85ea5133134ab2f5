"""Many patients straight into the tables, in words of both databases, as intake writes them."""

from datetime import datetime, timedelta

from reminderd.bootstrap import House
from reminderd.engines.tables.rows import to_ms

CLINICS = [f"c{number}" for number in range(10)]

_NUMBERS = (
    "WITH RECURSIVE numbers (number) AS "
    "(SELECT 0 UNION ALL SELECT number + 1 FROM numbers WHERE number + 1 < ?) "
)
_PATIENTS = (
    "INSERT INTO patients (id, ref, clinic, given_name, family_name, phone, email, phone_key, "
    "email_key, channels, created_at, updated_at) "
    f"{_NUMBERS}, new (id) AS (SELECT ? + number FROM numbers) "
    "SELECT id, 'P-' || id, 'c' || (id % ?), 'Ana', 'García', '+34' || (600000000 + id), "
    "'p' || id || '@example.org', '+34' || (600000000 + id), 'p' || id || '@example.org', 'sms', "
    "0, 0 FROM new"
)
_CONSENTS = (
    "INSERT INTO consents (patient, channel, granted, at, source) "
    "SELECT id, 'sms', 1, 0, 'benchmark' FROM patients WHERE id >= ?"
)
_SESSIONS = (
    "INSERT INTO sessions (id, patient, protocol_version, at, state, recorded_at) "
    "SELECT ? + id - ?, id, ?, ?, 'done', 0 FROM patients WHERE id >= ?"
)
_REMINDERS = (
    "INSERT INTO reminders (id, patient, {clinic}session, protocol, revision, milestone, "
    "occurrence, kind, topics, template, channel, nominal_at, due_at, wake_at, expires_at, "
    "first_planned_at, state) "
    f"{_NUMBERS}, planned (id, patient, {{clinic}}session, occurrence, at) AS "
    "(SELECT ? + (patients.id - ?) * ? + number, patients.id, {clinic}? + patients.id - ?, "
    "1 + number, ? + (patients.id * 7919 + number * 104729) % ? * 1000 "
    "FROM patients, numbers WHERE patients.id >= ?) "
    "SELECT id, patient, {clinic}session, 'mesotherapy', 1, 'spf', occurrence, 'routine', 'sun', "
    "'spf', 'sms', at, at, at, at + 28800000, 0, 'scheduled' FROM planned"
)


def add(
    house: House, patients: int, each: int, at: datetime, spread: timedelta, *, in_cluster: bool
) -> None:
    """New patients, treated a day ago, with so many reminders each, spread over a while from then.

    What the database would check for each row holds for all of them, so that PostgreSQL, where that
    takes most of the time, is told not to.
    """
    outbox, document = house.outbox, house.library.find("mesotherapy")
    now, seconds = to_ms(at), round(spread / timedelta(seconds=1))
    with outbox.transaction():
        if in_cluster:
            outbox.execute("SET LOCAL session_replication_role = replica")
        version = outbox.pin_protocol(document.protocol, document.document)
        first, session = outbox.reserve("patients", patients), outbox.reserve("sessions", patients)
        reminder = outbox.reserve("reminders", patients * each)
        outbox.execute(_PATIENTS, (patients, first, len(CLINICS)))
        outbox.execute(_CONSENTS, (first,))
        treated = now - 86_400_000
        outbox.execute(_SESSIONS, (session, first, version, treated, first))
        outbox.execute(
            _REMINDERS.format(clinic="clinic, " if in_cluster else ""),
            (each, reminder, first, each, session, first, now, seconds, first),
        )
