"""Sending is held where clock or volume cannot be right; it goes on by itself or by word."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reminderd import holding
from reminderd.clock_guard import Wrong
from reminderd.engines.embedded import store
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.interfaces import NewMessage, ReminderFilter, Settlement
from reminderd.model import Channel, Outcome, Reason, Reminder, State
from reminderd.watch import ALWAYS_USUAL, UNUSUAL, Watch
from tests.core.build import at
from tests.core.desk import patient
from tests.engines.rows import NOW, a_reminder, with_patient, with_session

BEAT = timedelta(seconds=15)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Clocks:
    """A wall clock that can be set and one that cannot."""

    def __init__(self, wall: datetime = NOW) -> None:
        self.wall, self.ran = wall, 1000.0

    def now(self) -> datetime:
        return self.wall

    def seconds(self) -> float:
        return self.ran

    def pass_by(self, span: timedelta = BEAT) -> None:
        self.wall += span
        self.ran += span.total_seconds()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[EmbeddedOutbox]:
    store.create(tmp_path / "reminderd.db")
    outbox = EmbeddedOutbox(tmp_path / "reminderd.db", durable=False)
    yield outbox
    outbox.close()


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


def watch(outbox: EmbeddedOutbox, clocks: Clocks, multiple: int = 10) -> Watch:
    return Watch(outbox, clocks, multiple, clocks.seconds)


def causes(outbox: EmbeddedOutbox) -> list[str]:
    return [each.cause for each in holding.held(outbox)]


def somebody_releases(outbox: EmbeddedOutbox, clocks: Clocks) -> None:
    with outbox.transaction():
        assert holding.release(outbox, None, "Nurse Example", clocks.wall)


# Time -------------------------------------------------------------------------------------------


def test_while_time_passes_as_it_should_the_present_instant_is_told(
    outbox: EmbeddedOutbox, clocks: Clocks
) -> None:
    watched = watch(outbox, clocks)
    for span in (timedelta(), BEAT, 8 * HOUR, BEAT):
        clocks.pass_by(span)
        assert watched.now() == clocks.wall
    assert causes(outbox) == []


@pytest.mark.parametrize("step", [-HOUR, HOUR, 400 * DAY])
def test_a_step_holds_sending_says_why_and_ends_by_itself(
    outbox: EmbeddedOutbox, clocks: Clocks, step: timedelta
) -> None:
    watched = watch(outbox, clocks)
    clocks.wall += step
    assert watched.now() is None
    (hold,) = holding.held(outbox)
    assert hold.cause == Wrong.STEPPED
    assert "the clock went" in hold.why
    clocks.wall -= step
    for _ in range(2):
        clocks.pass_by()
        assert watched.now() is None
    clocks.pass_by()
    assert watched.now() == clocks.wall
    assert causes(outbox) == []


@pytest.mark.parametrize("step", [-HOUR, HOUR])
def test_or_once_somebody_accepts_the_new_time(
    outbox: EmbeddedOutbox, clocks: Clocks, step: timedelta
) -> None:
    watched = watch(outbox, clocks)
    clocks.wall += step
    assert watched.now() is None
    clocks.pass_by(9 * HOUR)
    assert watched.now() is None
    somebody_releases(outbox, clocks)
    clocks.pass_by()
    assert watched.now() == clocks.wall
    clocks.pass_by()
    assert watched.now() == clocks.wall


def test_a_step_stays_unexplained_over_a_restart(outbox: EmbeddedOutbox, clocks: Clocks) -> None:
    before = watch(outbox, clocks)
    clocks.wall += HOUR
    assert before.now() is None
    restarted = watch(outbox, clocks)
    for _ in range(10):
        clocks.pass_by()
        assert restarted.now() is None
    somebody_releases(outbox, clocks)
    assert restarted.now() == clocks.wall


def test_a_clock_behind_the_records_holds_until_it_is_past_them(outbox: EmbeddedOutbox) -> None:
    with_patient(outbox)  # taken in at NOW
    clocks = Clocks(at("2020-01-01 00:00"))
    watched = watch(outbox, clocks)
    assert watched.now() is None
    assert causes(outbox) == [Wrong.BEHIND]
    clocks.wall = NOW + HOUR
    for _ in range(2):
        assert watched.now() is None
        clocks.pass_by()
    clocks.pass_by()
    assert watched.now() == clocks.wall
    assert causes(outbox) == []


def test_it_may_also_be_set_right_while_nothing_runs(outbox: EmbeddedOutbox) -> None:
    with_patient(outbox)
    assert watch(outbox, Clocks(NOW - DAY)).now() is None
    clocks = Clocks(NOW + HOUR)
    assert watch(outbox, clocks).now() == clocks.wall
    assert causes(outbox) == []
    assert watch(outbox, Clocks(NOW - DAY)).now() is None


def test_records_of_a_time_that_never_was_are_forgiven_for_good(outbox: EmbeddedOutbox) -> None:
    with_patient(outbox)
    clocks = Clocks(NOW - DAY)
    watch(outbox, clocks)
    assert watch(outbox, clocks).now() is None
    somebody_releases(outbox, clocks)
    for _ in range(2):
        assert watch(outbox, clocks).now() == clocks.wall
    with_session(outbox, outbox.patients()[0], recorded_at=NOW - HOUR)
    assert watch(outbox, clocks).now() is None


# Volume -----------------------------------------------------------------------------------------


def crowd(outbox: EmbeddedOutbox, count: int, **facts: object) -> list[Reminder]:
    """So many patients, each with a text that is due and was planned three days before."""
    template = with_session(outbox, with_patient(outbox))
    given = {"first_planned_at": NOW - 3 * DAY, **facts}
    with outbox.transaction():
        first_patient, first_session = outbox.reserve_ids(count, count)
        people = [replace(patient(), id=first_patient + n) for n in range(count)]
        outbox.add_patients(people, NOW)
        sessions = [
            replace(template, patient_id=each.id, id=first_session + n)
            for n, each in enumerate(people)
        ]
        outbox.add_sessions(sessions)
        outbox.save_reminders(a_reminder(each, **given) for each in sessions)
    ids = {each.id for each in sessions}
    return [each for each in outbox.reminders(ReminderFilter()) if each.session_id in ids]


def were_sent(outbox: EmbeddedOutbox, reminders: list[Reminder], when: datetime) -> None:
    wanted = [
        NewMessage(each.patient_id or 0, Channel.SMS, "console", (each,)) for each in reminders
    ]
    with outbox.transaction():
        taken = outbox.claim(wanted, when)
        outbox.settle(
            [
                Settlement(
                    each.attempt_id,
                    Outcome.ACCEPTED,
                    tuple(
                        r._replace(state=State.SENT, sent_at=when, wake_at=None)
                        for r in each.reminders
                    ),
                )
                for each in taken
            ],
            when,
        )


def test_what_a_small_clinic_has_in_a_week_is_never_unusual(
    outbox: EmbeddedOutbox, clocks: Clocks
) -> None:
    crowd(outbox, ALWAYS_USUAL)
    assert watch(outbox, clocks).now() == NOW


@pytest.mark.parametrize("count", [ALWAYS_USUAL + 1, 5000])
def test_more_than_that_out_of_nothing_is_held_until_released(
    outbox: EmbeddedOutbox, clocks: Clocks, count: int
) -> None:
    crowd(outbox, count)
    watched = watch(outbox, clocks)
    assert watched.now() is None
    (hold,) = holding.held(outbox)
    assert hold.cause == UNUSUAL
    assert hold.why.startswith(f"{count} messages would leave or expire at once")
    clocks.pass_by(HOUR)
    assert watched.now() is None
    assert watch(outbox, clocks).now() is None  # after a restart too
    somebody_releases(outbox, clocks)
    assert watched.now() == clocks.wall
    assert watch(outbox, clocks).now() == clocks.wall
    crowd(outbox, ALWAYS_USUAL + 1, due_at=NOW + HOUR, expires_at=NOW + DAY)
    clocks.pass_by()
    assert watched.now() is None  # one word does not count for the next mistake


def test_what_would_expire_at_once_counts_as_what_would_leave(
    outbox: EmbeddedOutbox, clocks: Clocks
) -> None:
    held = {"state": State.HELD, "reason": Reason.UNAPPROVED, "wake_at": None}
    crowd(outbox, ALWAYS_USUAL, expires_at=NOW - timedelta(minutes=5))
    crowd(outbox, 1, expires_at=NOW - timedelta(minutes=5), **held)
    assert watch(outbox, clocks).now() is None


def test_several_reminders_of_one_patient_are_one_message(
    outbox: EmbeddedOutbox, clocks: Clocks
) -> None:
    session = with_session(outbox, with_patient(outbox))
    with outbox.transaction():
        outbox.save_reminders(
            a_reminder(session, occurrence=n, first_planned_at=NOW - 3 * DAY) for n in range(1, 300)
        )
    assert watch(outbox, clocks).now() == NOW


def test_what_staff_entered_since_yesterday_is_never_unusual(
    outbox: EmbeddedOutbox, clocks: Clocks
) -> None:
    """An import has said how much it is."""
    crowd(outbox, 1000, first_planned_at=NOW - DAY + HOUR)
    assert watch(outbox, clocks).now() == NOW


def test_what_is_usual_is_seen_from_the_busiest_hour_of_the_last_month(
    outbox: EmbeddedOutbox, clocks: Clocks
) -> None:
    were_sent(outbox, crowd(outbox, 30), NOW - 7 * DAY)
    were_sent(outbox, crowd(outbox, 80), NOW - 31 * DAY)
    crowd(outbox, 300)
    assert watch(outbox, clocks).now() == NOW  # a Monday after an outage at the weekend
    crowd(outbox, 1)
    assert watch(outbox, clocks, multiple=11).now() == NOW
    assert watch(outbox, clocks).now() is None
