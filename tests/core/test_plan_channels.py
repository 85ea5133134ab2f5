"""On which channel a patient is reached, what waits and why, and which reason is shown."""

from datetime import timedelta

from reminderd.model import Channel, Patient
from tests.core.build import (
    at,
    chart,
    clinic,
    course,
    course_step,
    fate,
    inform,
    patient,
    protocol,
    release,
    restriction,
    row,
    session,
    state,
)

FIRST = at("2026-03-10 14:30")
WEEKLY = protocol(course_step(), course=course("7d", maximum=3))


# Channels -----------------------------------------------------------------------------------------


def channel(who: Patient, *allowed: Channel) -> str:
    """The channel that was chosen, or the reason for none."""
    care = protocol(inform(channels=allowed or None))
    found = row(chart(session(FIRST), care, patient=who), "bruising")
    return str(found.channel or found.reason)


def test_the_patients_first_channel_is_taken() -> None:
    assert channel(patient(channels="sms email")) == "sms"
    assert channel(patient(channels="email sms")) == "email"


def test_the_milestone_narrows_the_channels_and_the_patient_orders_them() -> None:
    assert channel(patient(channels="sms email"), Channel.EMAIL) == "email"
    assert channel(patient(channels="email sms"), Channel.SMS, Channel.EMAIL) == "email"


def test_a_channel_without_consent_or_address_is_passed_over() -> None:
    assert channel(patient(consent="email")) == "email"
    assert channel(patient(phone=None)) == "email"
    assert channel(patient(bad_addresses=frozenset({Channel.SMS}))) == "email"


def test_no_address_means_that_no_listed_channel_has_one() -> None:
    assert channel(patient(phone=None, email=None)) == "no-address"
    assert channel(patient(phone=None, consent="")) == "no-consent"
    assert channel(patient(phone=None), Channel.SMS) == "no-address"
    assert channel(patient(channels="email"), Channel.SMS) == "no-address"
    assert channel(patient(channels="")) == "no-address"
    everywhere = frozenset(Channel)
    assert channel(patient(bad_addresses=everywhere)) == "no-address"


def test_an_address_without_consent_is_a_matter_of_consent() -> None:
    assert channel(patient(consent="")) == "no-consent"
    assert channel(patient(phone=None, consent="sms")) == "no-consent"
    assert channel(patient(consent="email"), Channel.SMS) == "no-consent"


# Holds --------------------------------------------------------------------------------------------

SMS_LEAVES = clinic(leaving=[Channel.SMS])
BOTH = protocol(inform("ask", day=-3), inform("ice", after="0m"))


def test_aftercare_waits_until_the_session_is_done_and_pre_care_does_not() -> None:
    planned = chart(session(FIRST, done=False), BOTH)
    assert fate(planned, "ice") == "held/unconfirmed"
    assert fate(planned, "ask") == "scheduled"
    held = row(planned, "ice")
    assert (held.due_at, held.channel) == (FIRST, Channel.SMS)
    assert held.wake_at is None


def test_everything_of_a_paused_patient_waits() -> None:
    planned = chart(session(FIRST), BOTH, patient=patient(paused=True))
    assert {fate(planned, name) for name in ("ask", "ice")} == {"held/paused"}


def test_what_nobody_signed_waits_where_it_would_leave_the_machine() -> None:
    planned = chart(session(FIRST), BOTH, clinic=SMS_LEAVES)
    assert fate(planned, "ice") == "held/unapproved"
    assert fate(chart(session(FIRST), BOTH, clinic=SMS_LEAVES, approved=[1]), "ice") == "scheduled"
    by_mail = chart(session(FIRST), BOTH, clinic=SMS_LEAVES, patient=patient(channels="email"))
    assert fate(by_mail, "ice") == "scheduled"


def test_of_several_holds_unapproved_is_shown_then_paused_then_unconfirmed() -> None:
    booked, paused = session(FIRST, done=False), patient(paused=True)
    assert fate(chart(booked, BOTH, clinic=SMS_LEAVES, patient=paused), "ice") == "held/unapproved"
    assert fate(chart(booked, BOTH, patient=paused), "ice") == "held/paused"
    assert fate(chart(booked, BOTH), "ice") == "held/unconfirmed"


# The first reason ---------------------------------------------------------------------------------


def test_the_first_reason_found_stays() -> None:
    nobody = patient(consent="", paused=True)
    booked = session(FIRST, done=False)
    assert fate(chart(booked, BOTH, patient=nobody), "ice") == "skipped/no-consent"
    after = FIRST + timedelta(days=9)
    assert fate(chart(booked, BOTH, patient=nobody), "ice", now=after) == "skipped/past"


def test_forbidden_is_found_before_consent_and_consent_before_the_course() -> None:
    nobody = patient(consent="")
    own = protocol(restriction(holds="48h"), release(after="12h"))
    assert fate(chart(session(FIRST), own, patient=nobody), "shower-again") == "skipped/superseded"
    sessions = [session(FIRST), session(FIRST + timedelta(days=30), id=2)]
    assert fate(chart(sessions, WEEKLY, patient=nobody), "next-session") == "skipped/no-consent"


def test_what_was_first_planned_at_its_expiry_is_past_and_before_it_is_due() -> None:
    care = protocol(inform(after="1h", expires="3h"))
    planned = chart(session(FIRST), care)
    assert fate(planned, "bruising", now=FIRST + timedelta(hours=4)) == "skipped/past"
    just_in_time = row(planned, "bruising", FIRST + timedelta(hours=4, microseconds=-1))
    assert state(just_in_time) == "scheduled"
    assert just_in_time.due_at == FIRST + timedelta(hours=1)
