"""Bugs planted on purpose: a checker that lets one of them pass is worth nothing."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from reminderd import callbacks, dispatch, doubts, plan, rules, verdicts
from reminderd.answerbook import Answer
from reminderd.doubts import Doubts
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.envelope import opened
from reminderd.interfaces import Callback, Claimed, NewMessage, Rendered, Settlement, Witness
from reminderd.last_look import LastLook
from reminderd.model import Message, Patient, Reminder, State
from reminderd.model import Outcome as Ending
from reminderd.outbox_values import Doubt
from reminderd.words import AnswerState
from tests.faults.clinic_year import Outcome, Year
from tests.faults.happenings import Scale
from tests.faults.simulate import play
from tests.faults.steps import BreakingOutbox

HARD = Scale(patients=3, events=15, troubles=0.4, cut_chance=1 / 40)
SEEDS = 40  # in so many years at most each bug is found


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

    def recover(self, now: datetime) -> tuple[list[int], int]:
        self.connection.execute("UPDATE attempts SET outcome = 'claimed' WHERE outcome = 'marked'")
        return super().recover(now)


class DoubtsAreNothing(BreakingOutbox):
    """What is in doubt counts as not accepted, and is tried again."""

    def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        super().settle(settlements, now)
        doubted = [each for each in settlements if each.outcome is Ending.IN_DOUBT]
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


# Bugs that are not the outbox's ------------------------------------------------------------------


def _absence_is_refusal(self: Doubts, doubt: Doubt, now: datetime) -> None:
    transport = self._transports[doubt.transport]
    if not isinstance(transport, Witness) or self._evidence(transport, doubt) is not None:
        return _SETTLE(self, doubt, now)
    back = (
        each._replace(state=State.SCHEDULED, wake_at=min(now, each.expires_at))
        for each in doubt.reminders
    )
    return self._record(Settlement(doubt.attempt_id, Ending.TEMPORARY, tuple(back)))


def _under_another_name(doubt: Doubt, valid_for: timedelta) -> Message | None:
    message = opened(doubt, valid_for)
    if message is None:
        return None
    return replace(message, id=message.id.replace("msg-", f"msg-{doubt.message_id}-", 1))


def _counts_again(reminders: Sequence[Reminder], told: Callback) -> list[Reminder]:
    return [
        each._replace(receipt=told.receipt.value)
        for each in reminders
        if each.provider_id == told.provider_id
    ]


class AnswersAgain(BreakingOutbox):
    """An answer that may have left waits to leave."""

    def save_answers(self, answers: Sequence[Answer]) -> None:
        super().save_answers(
            [
                replace(each, state=AnswerState.WAITING, wake_at=each.created_at)
                if each.state is AnswerState.UNKNOWN
                else each
                for each in answers
            ]
        )


_SETTLE = Doubts._settle


@dataclass(frozen=True)
class Bug:
    """Something that somebody could have got wrong; `broken` stands in the place of what is right.

    `loses`: a power cut takes the last commit with it.
    """

    what: str
    outbox: type[BreakingOutbox] = BreakingOutbox
    broken: tuple[tuple[Any, str, Any], ...] = ()
    loses: bool = False


PLANTED = (
    Bug("a claim that forgets to write `sending`", ForgetsTheClaim),
    Bug("a mark that is written after the request", MarksTooLate),
    Bug("a record that is a group late", RecordsTooLate),
    Bug("after a crash, what was marked is sent again", SendsDoubtsAgain),
    Bug("what is in doubt counts as not accepted", DoubtsAreNothing),
    Bug("a STOP that is not written", ForgetsStop),
    Bug("NORMAL instead of FULL: the last commit is lost", Forgetful, loses=True),
    Bug(
        "absence from the list is taken as refusal",
        broken=((Doubts, "_settle", _absence_is_refusal),),
    ),
    Bug(
        "consent is not looked at once more as it leaves",
        # Whoever withdraws takes back what is claimed: that has to be broken as well.
        broken=(
            (LastLook, "still_right", lambda _, letters, *__: iter(letters)),
            (EmbeddedOutbox, "take_back", lambda *_: None),
        ),
    ),
    Bug(
        "a red flag that withholds nothing",
        broken=((rules, "is_withheld", lambda *_: False), (plan, "is_withheld", lambda *_: False)),
    ),
    Bug(
        "a retry does not look at quiet hours",
        broken=(
            (dispatch, "put_off_where_asleep", lambda *_: None),
            (verdicts, "put_off_where_asleep", lambda *_: None),
        ),
    ),
    Bug(
        "a callback counts again whenever it comes", broken=((callbacks, "raised", _counts_again),)
    ),
    Bug("an answer that may have left is sent again", AnswersAgain),
    Bug(
        "a mail comes again under another Message-ID",
        broken=((doubts, "opened", _under_another_name),),
    ),
)


class PlantedYear(Year):
    """A year with a bug."""

    bug = Bug("none")

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.outbox_class = self.bug.outbox

    def live(self) -> Outcome:
        with ExitStack() as mended:
            for place, name, broken in self.bug.broken:
                mended.enter_context(patch.object(place, name, broken))
            return super().live()

    def power_is_back(self) -> None:
        super().power_is_back()
        before, _ = _copies(self.path)
        if self.bug.loses and before.exists():
            for log in (*self.path.parent.glob("year.db-*"), self.path):
                log.unlink()
            before.replace(self.path)


def year_of(bug: Bug) -> type[Year]:
    """Years with that bug."""
    return type("YearWithABug", (PlantedYear,), {"bug": bug})


def caught(bug: Bug, seeds: Iterable[int] = range(SEEDS)) -> Outcome | None:
    """The first of these years in which a promise was broken; None where the bug goes unseen."""
    years = (play(seed, HARD, year_of(bug)) for seed in seeds)
    return next((each for each in years if each.wrongs), None)


def report() -> int:
    """A table of the bugs: in which year each was found, by what, and that it plays again so."""
    width, failed = max(len(bug.what) for bug in PLANTED), False
    print(f"{'planted bug':{width}}  seed  again  caught by")
    for bug in PLANTED:
        year = caught(bug)
        if year is None:
            failed = True
            print(f"{bug.what:{width}}  NOT CAUGHT")
            continue
        again = caught(bug, [year.seed])
        is_same = again is not None and again.wrongs == year.wrongs
        failed |= not is_same
        same = "same" if is_same else "OTHER"
        print(f"{bug.what:{width}}  {year.seed:>4}  {same:5}  {year.wrongs[0]}")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(report())
