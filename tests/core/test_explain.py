"""What `explain` tells a nurse about a reminder."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reminderd.explain import REASONS, RULES, sentences
from reminderd.model import Chart, Milestone, Reason, State
from reminderd.plan import plan
from reminderd.steps import Rule
from tests.core.build import (
    LONG_AGO,
    adjusted,
    at,
    chart,
    clinic,
    course,
    course_step,
    inform,
    patient,
    protocol,
    release,
    remembered,
    restriction,
    routine,
    session,
    with_row,
    with_session,
)

T = at("2026-03-28 14:30")
AWAKE = clinic("00:00-00:00")


def told(chart: Chart, name: str, now: datetime = LONG_AGO, session_id: int = 1) -> list[str]:
    return next(
        sentences(each, chart)
        for each in plan(chart, now)
        if (each.reminder.milestone, each.reminder.session_id) == (name, session_id)
    )


def test_every_rule_and_every_reason_has_its_sentence() -> None:
    assert set(RULES) == set(Rule)
    assert set(REASONS) == set(Reason)
    assert len(set(RULES.values())) >= len(Rule) - 1
    assert len(set(REASONS.values())) == len(Reason)


def test_a_reminder_that_the_night_defers_is_told_from_beginning_to_end() -> None:
    assert told(chart(session(T), protocol(release())), "shower-again") == [
        "12 h after the session of Sat 28 Mar 14:30, across a clock change → Sun 29 Mar 03:30",
        "worth sending until Mon 30 Mar 03:30",
        "03:30 is within quiet hours 21:00-08:00: deferred to 08:00",
        "by sms, the first channel with an address and consent",
        "due Sun 29 Mar 08:00",
    ]


def test_a_release_that_another_session_forbids_names_it() -> None:
    exercise = protocol(
        restriction("no-strenuous-exercise", "exercise", holds="48h"),
        release("exercise-again", "exercise", after="48h"),
    )
    later = session(at("2026-03-30 10:00"), id=12)
    assert told(chart([session(T), later], exercise), "exercise-again")[-1] == (
        "skipped: session ses-12 (Mon 30 Mar 10:00) forbids exercise until Wed 1 Apr 10:00"
        " (milestone no-strenuous-exercise)"
    )


def test_a_withheld_release_that_nobody_makes_up_for_asks_for_a_person() -> None:
    care = protocol(restriction(holds="48h"), release())
    assert told(chart(session(T), care), "shower-again")[-1] == (
        "no later all-clear is planned: a person has to tell the patient"
    )


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (inform(after="0m"), "at the session of Sat 28 Mar 14:30 → Sat 28 Mar 14:30"),
        (inform(after="90m"), "90 min after the session of Sat 28 Mar 14:30 → Sat 28 Mar 16:00"),
        (inform(before="48h"), "48 h before the session of Sat 28 Mar 14:30 → Thu 26 Mar 14:30"),
        (
            inform(day=2),
            "2 days after the session of Sat 28 Mar 14:30, at 10:00 → Mon 30 Mar 10:00",
        ),
        (
            inform(day=-1),
            "1 day before the session of Sat 28 Mar 14:30, at 10:00 → Fri 27 Mar 10:00",
        ),
        (
            inform(day=0, at="18:00"),
            "on the day of the session of Sat 28 Mar 14:30, at 18:00 → Sat 28 Mar 18:00",
        ),
        (
            course_step("bruising"),
            "2 days before the next session is due, by the session of Sat 28 Mar 14:30, at 10:00"
            " → Thu 2 Apr 10:00",
        ),
    ],
)
def test_every_timing_is_told_in_words(rule: Milestone, expected: str) -> None:
    assert told(chart(session(T), protocol(rule, course=course("7d"))), "bruising")[0] == expected


def test_each_day_of_several_is_told_by_its_own_number() -> None:
    planned = plan(chart(session(T), protocol(routine(days=(1, 2)))), LONG_AGO)
    first, second = (sentences(each, chart(session(T), protocol()))[0] for each in planned)
    assert first.startswith("1 day after")
    assert second.startswith("2 days after")


@pytest.mark.parametrize(
    ("quiet", "expected"),
    [
        ("defer", "22:00 is within quiet hours 21:00-08:00: deferred to Mon 30 Mar 08:00"),
        ("advance", "22:00 is within quiet hours 21:00-08:00: brought forward to 20:59"),
        ("ignore", "22:00 is within quiet hours 21:00-08:00, which this reminder ignores"),
        ("drop", "skipped: 22:00 is within quiet hours 21:00-08:00, when it is never sent"),
    ],
)
def test_what_quiet_hours_did_is_told(quiet: str, expected: str) -> None:
    care = protocol(inform(day=1, at="22:00", quiet=quiet))
    assert expected in told(chart(session(T), care), "bruising")


def test_what_the_night_left_no_time_is_told() -> None:
    care = protocol(inform(day=1, at="22:00", expires="2h"))
    assert told(chart(session(T), care), "bruising")[-1] == "skipped: Mon 30 Mar 08:00 is too late"


def test_what_staff_decided_is_told_with_their_name_and_reason() -> None:
    care = protocol(restriction(after="2h"), release(), inform(day=1))
    decided = {
        "no-shower": adjusted(holds="1h"),
        "bruising": adjusted(off=True),
    }
    of = chart(session(T, adjustments=decided), care)
    assert told(of, "no-shower")[-1] == (
        "skipped: too late from Sat 28 Mar 15:30 on, as decided for this session"
        " by Nurse Nilsen: swollen"
    )
    assert "turned off for this session by Nurse Nilsen: swollen" in told(of, "bruising")[-1]
    assert told(of, "shower-again")[1] == (
        "staff changed how long no-shower holds: moved to Sat 28 Mar 15:30"
    )
    asleep = protocol(inform(day=1, expires="2h"))
    late = chart(session(T, adjustments={"bruising": adjusted(at="22:00")}), asleep)
    assert told(late, "bruising")[-1] == (
        "skipped: quiet hours 21:00-08:00 leave it no time, as decided by Nurse Nilsen: swollen"
    )
    evening = chart(session(T, adjustments={"bruising": adjusted(at="20:00")}), care)
    assert "at 20:00 (decided by Nurse Nilsen: swollen)" in told(evening, "bruising")[0]


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (chart(session(T), protocol(inform(day=0, at="09:00"))), "moved to Sat 28 Mar 14:30"),
        (chart(session(T), protocol(inform(only_for=["face", "arm"]))), "tagged arm or face"),
        (chart(session(T), protocol(inform()), patient=patient(consent="")), "has not agreed"),
        (chart(session(T), protocol(inform()), patient=patient(channels="")), "usable address"),
        (
            chart(session(T), protocol(inform()), patient=patient(paused=True)),
            "held: the patient's",
        ),
        (chart(session(T, done=False), protocol(inform())), "held: the session is not marked"),
    ],
)
def test_what_decided_is_among_the_sentences(of: Chart, expected: str) -> None:
    assert expected in "\n".join(told(of, "bruising"))


def test_what_was_entered_too_late_says_when_it_was() -> None:
    late = told(chart(session(T), protocol(inform())), "bruising", T + timedelta(days=9))
    assert late[-1] == "skipped: it was first planned Mon 6 Apr 15:30, when it was already too late"


def test_the_course_is_told() -> None:
    care = protocol(course_step(), course=course("7d", maximum=2))
    both = chart([session(T), session(T + timedelta(days=7), id=2)], care)
    assert told(both, "next-session")[-1] == (
        "skipped: the course goes on with session ses-2 (Sat 4 Apr 15:30)"
    )
    assert told(both, "next-session", session_id=2)[-1] == (
        "skipped: the course is complete with 2 sessions"
    )


def test_a_duplicate_names_the_session_that_speaks() -> None:
    both = chart([session(T), session(T, id=2)], protocol(routine()))
    assert told(both, "massage")[-1] == (
        "skipped: session ses-2 (Sat 28 Mar 14:30) says the same on Sun 29 Mar"
    )


def test_what_was_put_off_says_until_when() -> None:
    of = remembered(chart(session(T), protocol(inform(day=1))), T)
    of = with_row(of, "bruising", wake_at=at("2026-03-29 10:07"))
    assert told(of, "bruising", T)[-2:] == [
        "due Sun 29 Mar 10:00",
        "put off until Sun 29 Mar 10:07",
    ]


# History ---------------------------------------------------------------------------------------


def sent(**facts: object) -> Chart:
    of = remembered(chart(session(T), protocol(release())), T)
    now = at("2026-03-29 08:01")
    return with_row(of, "shower-again", **{"state": State.SENT, "sent_at": now, **facts})


def test_what_was_sent_is_told_from_its_row() -> None:
    assert told(sent(), "shower-again", T) == [
        "12 h after the session of Sat 28 Mar 14:30, across a clock change → Sun 29 Mar 03:30",
        "03:30 is within quiet hours 21:00-08:00: deferred to 08:00",
        "sent Sun 29 Mar 08:01 by sms",
    ]


def test_what_was_sent_before_the_session_was_moved_keeps_its_own_story() -> None:
    moved = with_session(sent(), at=T + timedelta(days=2))
    assert told(moved, "shower-again", T) == [
        "meant for Sun 29 Mar 03:30",
        "03:30 is within quiet hours 21:00-08:00: deferred to 08:00",
        "sent Sun 29 Mar 08:01 by sms",
    ]


def test_a_row_that_quiet_hours_of_today_do_not_explain_says_only_when_it_was_due() -> None:
    assert told(replace(sent(), clinic=AWAKE), "shower-again", T)[1] == "due Sun 29 Mar 08:00"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"state": State.FAILED, "reason": Reason.TEMPLATE}, "failed: its text could not be"),
        ({"state": State.UNKNOWN}, "left by sms, and whether it was accepted is not known"),
        ({"state": State.SENDING}, "sending by sms"),
        ({"state": State.CANCELLED, "reason": Reason.BY_STAFF}, "cancelled: staff called it off"),
    ],
)
def test_what_became_of_it_is_told(facts: dict[str, object], expected: str) -> None:
    assert told(sent(sent_at=None, **facts), "shower-again", T)[-1].startswith(expected)


def test_what_expired_or_was_skipped_long_ago_is_told_by_its_reason() -> None:
    of = remembered(chart(session(T), protocol(release())), T)
    much_later = T + timedelta(days=30)
    assert told(of, "shower-again", much_later)[-1] == "expired: it could not be sent in time"
    skipped = with_row(of, "shower-again", state=State.SKIPPED, reason=Reason.NO_CONSENT)
    assert told(skipped, "shower-again", much_later)[-1].startswith("skipped: the patient has not")


def test_what_was_withdrawn_with_its_session_is_told() -> None:
    of = remembered(chart(session(T), protocol(release())), T)
    gone = replace(of, sessions=())
    assert told(gone, "shower-again", T) == [
        "meant for Sun 29 Mar 03:30",
        "03:30 is within quiet hours 21:00-08:00: deferred to 08:00",
        "cancelled: the session was called off",
    ]
