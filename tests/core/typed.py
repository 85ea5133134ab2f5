"""What people type about a patient, at two clinics."""

from datetime import UTC, datetime

from reminderd.entries import Fault, read_patient
from reminderd.model import Clinic, Patient, QuietHours

NOW = datetime(2026, 3, 20, 8, tzinfo=UTC)
ALBA = Clinic(
    "main", "Alba", "+34910000000", "Europe/Madrid", "ES", "en", QuietHours.parse("21:00-08:00")
)
LUA = Clinic(
    "lua", "Lua", "+351210000000", "Europe/Lisbon", "PT", "pt", QuietHours.parse("21:00-08:00")
)
BOTH = {"main": ALBA, "lua": LUA}


def patient(separator: str = ";", **raw: str) -> Patient:
    read, faults = read_patient({"given_name": "Leni", **raw}, BOTH, NOW, "desk", separator)
    assert faults == []
    assert read is not None
    return read


def faults(**raw: str) -> list[Fault]:
    read, found = read_patient({"given_name": "Leni", **raw}, BOTH, NOW, "desk")
    assert (read is None) == bool(found)
    return found


def fields(**raw: str) -> list[str]:
    return [each.field for each in faults(**raw)]
