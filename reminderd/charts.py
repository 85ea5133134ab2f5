"""Who and what the store knows, by the names that staff use, and the plan that follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from reminderd.errors import NotFound, shown
from reminderd.ids import internal_id
from reminderd.interfaces import Outbox
from reminderd.model import Chart, Patient, Reminder, Session
from reminderd.plan import changes, plan
from reminderd.practice import Practice
from reminderd.steps import Planned

_NAMES = {
    "patient": "an id such as pat-12, or the clinic's own ref",
    "session": "an id such as ses-12",
    "reminder": "an id such as rem-12",
    "incident": "an id such as inc-12",
}


@dataclass(frozen=True)
class Change:
    """What an entry led to: the patient's chart afterwards, and which reminders differ."""

    chart: Chart
    reminders: tuple[Reminder, ...]
    session: Session | None = None


class Charts:
    """Finds what staff name, and keeps the stored plan in step with what is known."""

    def __init__(self, outbox: Outbox, practice: Practice) -> None:
        self._outbox = outbox
        self._practice = practice

    # Looking up ------------------------------------------------------------------------------

    def patient(self, name: str) -> Patient:
        """The patient of that id or ref; NotFound where there is none, or none any more."""
        found = self._outbox.find_patient(name.strip())
        if found is None:
            raise not_found("patient", name)
        if found.erased_at is not None:
            raise NotFound(
                f"{name} was erased: nothing personal is left",
                remedy=f"What was done to it: reminderd audit --patient {name}",
            )
        return found

    def session(self, name: str) -> Session:
        """The session of that id; NotFound where there is none."""
        number = internal_id("ses", name)
        found = None if number is None else self._outbox.session(number)
        if found is None:
            raise not_found("session", name)
        return found

    def reminder(self, name: str) -> Reminder:
        """The reminder of that id; NotFound where there is none."""
        number = internal_id("rem", name)
        found = None if number is None else self._outbox.reminder(number)
        if found is None:
            raise not_found("reminder", name)
        return found

    def chart(self, patient_id: int) -> Chart:
        """Everything known about the patient, as planning sees it."""
        facts = self._outbox.facts([patient_id])
        return self._practice.charts(facts, self._outbox.approvals())[0]

    def planned(self, patient_id: int, now: datetime) -> list[Planned]:
        """The patient's plan as it would be made now, with the steps that led to it."""
        return plan(self.chart(patient_id), now)

    # Planning again --------------------------------------------------------------------------

    def _plan_one_again(self, patient_id: int, now: datetime) -> Change:
        self._outbox.take_back(patient_id, now)
        chart = self.chart(patient_id)
        differing = tuple(changes(chart, now))
        self._outbox.save_reminders(differing)
        return Change(self.chart(patient_id), differing)

    def plan_all_again(self, now: datetime) -> int:
        """Plan everybody with something ahead afresh; returns how many reminders changed."""
        return self.plan_again(self._outbox.open_patient_ids(now), now)

    def plan_again(self, patient_ids: Sequence[int], now: datetime, *, chunk: int = 500) -> int:
        """Plan these patients afresh, so many in one transaction; returns as `plan_all_again`."""
        changed = 0
        for start in range(0, len(patient_ids), chunk):
            with self._outbox.transaction():
                facts = self._outbox.facts(patient_ids[start : start + chunk])
                for chart in self._practice.charts(facts, self._outbox.approvals()):
                    differing = changes(chart, now)
                    self._outbox.save_reminders(differing)
                    changed += len(differing)
        return changed


def not_found(noun: str, name: str) -> NotFound:
    """The error for a name that nothing has."""
    return NotFound(
        f"there is no {noun} {shown(name)}",
        remedy=f"Give {_NAMES[noun]}. See them all with: reminderd {noun} list",
    )
