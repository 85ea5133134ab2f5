"""Check-ins that nobody has replied to, for the person who picks up the phone."""

from typing import Any

from reminderd.cli import output, view
from reminderd.cli.context import Desk
from reminderd.cli.rows import zones
from reminderd.model import Patient
from reminderd.questions import Question


def tell(desk: Desk, as_json: bool) -> None:
    """A table, the oldest first, or JSON."""
    house = desk.house
    zone_of = zones(house)
    patients = {each.id: each for each in house.outbox.patients()}
    found = house.outbox.silent_check_ins(desk.clock.now())
    rows = [_data(each, patients[each.patient_id], zone_of(each.patient_id)) for each in found]
    if as_json:
        output.emit({"check_ins": rows})
        return
    if not rows:
        output.note("Nobody has left a check-in of the last week without a reply for a day.")
        return
    keys = ("reminder", "asked_at", "patient", "name", "phone", "session")
    output.table([each.replace("_at", "").capitalize() for each in keys],
                 ([row[key] for key in keys] for row in rows))  # fmt: skip


def line(count: int) -> str:
    """For who looks at the day: how many there are, and how to see them."""
    whose = "1 check-in is" if count == 1 else f"{count} check-ins are"
    return f"{whose} without a reply for a day: reminderd inbox silent"


def _data(question: Question, patient: Patient, zone: str) -> dict[str, Any]:
    data = view.question_data(question, zone)
    return {
        **{name: data[name] for name in data if name not in ("answer", "replies")},
        "name": f"{patient.given_name} {patient.family_name}".strip(),
        "phone": patient.phone,
    }
