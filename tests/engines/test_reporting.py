"""What every engine's outbox counts for a report."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from reminderd.interfaces import Figure, NewMessage, Outbox, ReportFilter, Settlement
from reminderd.model import (
    Channel,
    Kind,
    Outcome,
    Patient,
    Reason,
    Reminder,
    Session,
    SessionState,
    State,
)
from tests.engines.rows import (
    EITHER_WAY,
    EMAIL,
    HOUR,
    LIBRARY,
    NOW,
    SMS,
    a_reminder,
    saved,
    with_patient,
    with_session,
    words,
)

pytestmark = EITHER_WAY

EVERYTHING = ReportFilter()
DAY = timedelta(days=1)
SKIPPED = {"state": State.SKIPPED, "channel": None, "due_at": None}


def treated(outbox: Outbox, who: Patient, days: int, key: str, **facts: Any) -> Session:
    """A session under a packaged protocol, so many days from now."""
    protocol, document, _ = LIBRARY.find(key)
    with outbox.transaction():
        version = outbox.pin_protocol(protocol, document)
    return with_session(
        outbox, who, protocol=key, protocol_version=version, at=NOW + days * DAY, **facts
    )


def left(outbox: Outbox, outcome: Outcome, segments: int | None, *reminders: Reminder) -> None:
    """All of them in one message, which took so many segments."""
    patient, channel = reminders[0].patient_id, reminders[0].channel
    assert patient is not None
    assert channel is not None
    with outbox.transaction():
        (taken,) = outbox.claim([NewMessage(patient, channel, "console", reminders)], NOW)
        outbox.mark([replace(words(taken), segments=segments)], NOW)
        state = State.SENT if outcome is Outcome.ACCEPTED else State.FAILED
        after = tuple(each._replace(state=state, wake_at=None, sent_at=NOW) for each in reminders)
        outbox.settle([Settlement(taken.attempt_id, outcome, after)], NOW)


def test_reminders_are_counted_by_what_became_of_them(outbox: Outbox) -> None:
    own = with_session(outbox, with_patient(outbox))
    saved(
        outbox,
        a_reminder(own, occurrence=1, state=State.SENT, due_at=NOW, sent_at=NOW + HOUR),
        a_reminder(own, occurrence=2, state=State.SENT, due_at=NOW, sent_at=NOW + 3 * HOUR),
        a_reminder(own, occurrence=3, reason=Reason.PAST, **SKIPPED),
        a_reminder(own, occurrence=4, reason=Reason.BOOKED, **SKIPPED),
        a_reminder(own, occurrence=5, reason=Reason.BOOKED, **SKIPPED),
        a_reminder(own, occurrence=6, channel=EMAIL),
    )
    none = timedelta()
    assert sorted(outbox.figures(EVERYTHING), key=lambda each: (each.state, each.count)) == [
        Figure("mesotherapy", "no-shower", EMAIL, State.SCHEDULED, None, 1, none, none),
        Figure("mesotherapy", "no-shower", SMS, State.SENT, None, 2, 4 * HOUR, 3 * HOUR),
        Figure("mesotherapy", "no-shower", None, State.SKIPPED, Reason.PAST, 1, none, none),
        Figure("mesotherapy", "no-shower", None, State.SKIPPED, Reason.BOOKED, 2, none, none),
    ]


def test_a_report_is_about_a_protocol_and_a_time(outbox: Outbox) -> None:
    who = with_patient(outbox)
    own, other = with_session(outbox, who), treated(outbox, who, 0, "mesotherapy-basic")
    saved(
        outbox,
        a_reminder(own, due_at=NOW - HOUR),
        a_reminder(own, occurrence=2, due_at=NOW),
        a_reminder(own, occurrence=3, **SKIPPED, nominal_at=NOW + HOUR),
        a_reminder(other, due_at=NOW),
    )

    def count(**wanted: Any) -> int:
        return sum(each.count for each in outbox.figures(ReportFilter(**wanted)))

    assert count() == 4
    assert count(protocol="mesotherapy") == 3
    assert count(start=NOW) == 3
    assert count(end=NOW) == 1
    assert count(start=NOW, end=NOW + HOUR) == 2
    assert count(protocol="mesotherapy-basic", end=NOW) == 0


def test_what_left_together_shares_the_segments(outbox: Outbox) -> None:
    own = with_session(outbox, with_patient(outbox))
    first, second, alone, by_mail, refused = saved(
        outbox,
        a_reminder(own, milestone="ice"),
        a_reminder(own, milestone="spf"),
        a_reminder(own, milestone="spf", occurrence=2),
        a_reminder(own, milestone="check-in", channel=Channel.EMAIL),
        a_reminder(own, milestone="massage"),
    )
    left(outbox, Outcome.ACCEPTED, 3, first, second)
    left(outbox, Outcome.ACCEPTED, 1, alone)
    left(outbox, Outcome.ACCEPTED, None, by_mail)
    left(outbox, Outcome.REFUSED, 2, refused)
    shares = outbox.segments(EVERYTHING)
    assert shares == {("mesotherapy", "ice"): 1.5, ("mesotherapy", "spf"): 2.5}
    assert outbox.segments(ReportFilter(protocol="mesotherapy-basic")) == {}


def test_the_last_session_of_each_course_is_found_with_its_place(outbox: Outbox) -> None:
    ana, bo = with_patient(outbox, name="Ana"), with_patient(outbox, name="Bo")
    face = "mesotherapy-facial"
    last = treated(outbox, ana, 7, face)
    treated(outbox, ana, 0, face)
    treated(outbox, ana, 14, face, state=SessionState.CANCELLED)
    ahead = treated(outbox, ana, 21, "mesotherapy-basic", state=SessionState.BOOKED)
    treated(outbox, bo, 0, face, state=SessionState.NO_SHOW)
    treated(outbox, bo, 30, "mesotherapy")  # has no course
    found = sorted(outbox.last_sessions(None), key=lambda each: each.session.at)
    assert [each.session for each in found] == [last, ahead]
    assert [each.place for each in found] == [2, 1]
    assert [each.patient.id for each in found] == [ana.id, ana.id]
    assert [each.protocol.key for each in found] == [face, "mesotherapy-basic"]
    assert [each.session for each in outbox.last_sessions("mesotherapy-basic")] == [ahead]


def test_of_two_sessions_at_one_instant_the_last_is_the_one_recorded_later(outbox: Outbox) -> None:
    ana = with_patient(outbox, name="Ana")
    later = treated(outbox, ana, 0, "mesotherapy-basic", recorded_at=NOW + HOUR)
    treated(outbox, ana, 0, "mesotherapy-basic")
    (last,) = outbox.last_sessions(None)
    assert (last.session, last.place) == (later, 2)


def test_the_reminders_that_bring_patients_back_are_those_of_the_course(outbox: Outbox) -> None:
    ana = with_patient(outbox, name="Ana")
    own, other = treated(outbox, ana, 0, "mesotherapy-basic"), with_session(outbox, ana)
    wanted, _, _ = saved(
        outbox,
        a_reminder(own, milestone="next-session", kind=Kind.COURSE),
        a_reminder(own, milestone="ice", kind=Kind.INFORM),
        a_reminder(other, milestone="next-session", kind=Kind.COURSE),
    )
    assert own.id is not None
    assert outbox.course_reminders([own.id]) == [wanted]
    assert outbox.course_reminders([]) == []
