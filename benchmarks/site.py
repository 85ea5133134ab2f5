"""A throw-away clinic for measurements: a configuration, a database, many patients."""

import json
from datetime import datetime
from pathlib import Path

from reminderd import bootstrap
from reminderd.bootstrap import House
from reminderd.engines.embedded import encrypting, store
from reminderd.engines.tables import lookup

CONFIGURATION = """
[clinics.main]
name = "Alba Skin Clinic"
phone = "+34 910 000 000"
timezone = "Europe/Madrid"
country = "ES"
language = "en"
quiet_hours = "21:00-08:00"

[channels]
sms = "file"
email = "file"

[transports.file]
directory = "outbox"
"""


KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def new_house(folder: Path) -> House:
    """A wired house on a new and empty database."""
    path = folder / "reminderd.toml"
    path.write_text(CONFIGURATION)
    settings = bootstrap.load_settings(path, {})
    store.create(settings.database)
    return bootstrap.open_house(settings)


def encrypted(house: House) -> House:
    """The same house, from now on encrypted with a key."""
    house.outbox.close()
    path = house.settings.path
    path.write_text(f'{CONFIGURATION}\n[database]\nencryption_key = "{KEY}"\n')
    settings = bootstrap.load_settings(path, {})
    encrypting.convert(settings.database, None, settings.seal)
    encrypting.finish(settings.database)
    return bootstrap.open_house(settings)


def roster_of(patients: int, at: datetime, channel: str = "sms") -> bytes:
    """A CSV of that many patients with one session each, all at the same instant."""
    header = (
        "ref,given_name,family_name,phone,email,timezone,language,channels,consent,protocol,"
        "session_at"
    )
    rows = [
        f"P-{n},Ana,García {n},+346{n:08d},p{n}@example.org,Europe/Madrid,{('en', 'es')[n % 2]},"
        f"{channel},{channel},mesotherapy,{at.isoformat()}"
        for n in range(patients)
    ]
    return "\n".join([header, *rows, ""]).encode()


def fill(house: House, pending: int, due: int, now_ms: int, channel: str) -> None:
    """Reminders straight into the outbox: `due` of them due now, `pending` more due next year.

    One patient has ten reminders ahead, and of those that are due one each.
    """
    with house.outbox.transaction():
        connection = house.outbox.connection
        _add_patients(house, max(due, pending // 10, 1), now_ms, channel)
        connection.execute(
            _REMINDERS + "SELECT id, id, 1, :channel, :now, :now, :now, :now + 28800000, "
            f"{_CONSTANTS} FROM patients WHERE id <= :due",
            {"now": now_ms, "due": due, "channel": channel},
        )
        connection.execute(
            _REMINDERS + "SELECT patient, patient, 1 + occurrence, :channel, later, later, later, "
            f"later + 28800000, {_CONSTANTS} FROM ("
            "SELECT patients.id AS patient, value AS occurrence, "
            ":now + 31536000000 + (patients.id * 7919 + value * 104729) % 31536000 * 1000 AS later "
            "FROM patients, json_each('[1,2,3,4,5,6,7,8,9,10]') WHERE patients.id <= :patients)",
            {"now": now_ms, "patients": pending // 10, "channel": channel},
        )
        connection.execute(
            "UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM reminders) "
            "WHERE name = 'reminders'"
        )
    connection.execute("ANALYZE")


_REMINDERS = (
    "INSERT INTO reminders (patient, session, occurrence, channel, nominal_at, due_at, wake_at, "
    "expires_at, protocol, revision, milestone, kind, topics, template, first_planned_at, state) "
)
_CONSTANTS = "'mesotherapy', 1, 'spf', 'routine', 'sun', 'spf', 0, 'scheduled'"


def _add_patients(house: House, count: int, now_ms: int, channel: str) -> None:
    """So many patients, each treated a day ago, who agree to the channel."""
    document = house.library.find("mesotherapy")
    version = house.outbox.pin_protocol(document.protocol, document.document)
    connection = house.outbox.connection
    connection.execute(
        "INSERT INTO patients (id, ref, clinic, given_name, family_name, phone, email, channels, "
        "created_at, updated_at) SELECT value, 'P-' || value, 'main', 'Ana', 'García', "
        "'+3461' || (1000000 + value), 'p' || value || '@example.org', ?, 0, 0 FROM json_each(?)",
        (channel, json.dumps(list(range(1, count + 1)))),
    )
    lookup.fill(house.outbox, house.outbox.seal)
    connection.execute(
        "INSERT INTO consents (patient, channel, granted, at, source) "
        "SELECT id, channels, 1, 0, 'benchmark' FROM patients"
    )
    connection.execute(
        "INSERT INTO sessions (id, patient, protocol_version, at, state, recorded_at) "
        "SELECT id, id, ?, ?, 'done', 0 FROM patients",
        (version, now_ms - 86_400_000),
    )
