"""Bugs planted on purpose: a checker that lets one of them pass is worth nothing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from reminderd.interfaces import Claimed, NewMessage, Rendered, Settlement
from reminderd.model import Outcome, Patient, State
from tests.faults.clinic_year import Year
from tests.faults.steps import BreakingOutbox


class ForgetsTheClaim(BreakingOutbox):
    """The claim does not write `sending`."""

    def claim(self, messages: Sequence[NewMessage], now: datetime) -> list[Claimed]:
        claimed = super().claim(messages, now)
        for message in messages:
            self.save_reminders(message.reminders)
        return claimed


class MarksTooLate(BreakingOutbox):
    """The mark is written together with the record, after the request."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._late: list[Rendered] = []

    def mark(self, rendered: Sequence[Rendered], now: datetime) -> None:
        self._late += rendered

    def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        super().mark(self._late, now)
        self._late = []
        super().settle(settlements, now)


class RecordsTooLate(BreakingOutbox):
    """The record of a group is written only with the record of the next."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._late: list[Settlement] = []

    def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        late, self._late = self._late, list(settlements)
        super().settle(late, now)


class SendsDoubtsAgain(BreakingOutbox):
    """After a crash, what was marked goes back on the schedule."""

    def recover(self, now: datetime) -> tuple[int, int]:
        self.connection.execute("UPDATE attempts SET outcome = 'claimed' WHERE outcome = 'marked'")
        return super().recover(now)


class DoubtsAreNothing(BreakingOutbox):
    """What is in doubt counts as not accepted, and is tried again."""

    def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        super().settle(settlements, now)
        doubted = [each for each in settlements if each.outcome is Outcome.IN_DOUBT]
        self.save_reminders(
            each._replace(state=State.SCHEDULED, reason=None, wake_at=min(now, each.expires_at))
            for settlement in doubted
            for each in settlement.reminders
        )


class ForgetsStop(BreakingOutbox):
    """A withdrawal of consent is not written."""

    def update_patient(self, patient: Patient, now: datetime) -> None:
        kept = {channel: each for channel, each in patient.consent.items() if each.granted}
        before = self.find_patient(f"pat-{patient.id}")
        assert before is not None
        super().update_patient(replace(patient, consent={**before.consent, **kept}), now)


class Forgetful(BreakingOutbox):
    """As a disk that was never told to keep anything: a copy of how it was one commit ago."""

    @contextmanager
    def _unit_of_work(self, end: str) -> Iterator[None]:
        with super()._unit_of_work(end):
            yield
        if end == "COMMIT":
            before, present = _copies(self.path)
            if present.exists():
                present.replace(before)
            self.connection.execute("VACUUM INTO ?", (str(present),))


def _copies(path: Path) -> tuple[Path, Path]:
    """Where the database is kept as it was before the last commit, and after it."""
    return path.with_name("year.db.before"), path.with_name("year.db.present")


class PlantedYear(Year):
    """A year in which a power cut takes the last commit with it, where `loses` says so."""

    loses = False

    def power_is_back(self) -> None:
        super().power_is_back()
        before, _ = _copies(self.path)
        if self.loses and before.exists():
            for log in (*self.path.parent.glob("year.db-*"), self.path):
                log.unlink()
            before.replace(self.path)


def year_of(outbox: type[BreakingOutbox]) -> type[Year]:
    """Years with that bug."""
    return type(
        f"YearThat{outbox.__name__}",
        (PlantedYear,),
        {"outbox_class": outbox, "loses": outbox is Forgetful},
    )


PLANTED = (
    ForgetsTheClaim, MarksTooLate, RecordsTooLate, SendsDoubtsAgain, DoubtsAreNothing,
    ForgetsStop, Forgetful,
)  # fmt: skip
