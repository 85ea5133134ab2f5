"""What becomes of a plan when real life happens to a session: what leaves, what does not, why."""

from collections.abc import Callable

import pytest

from reminderd.corrections import Cause
from tests.core.build import at, local
from tests.end_to_end.life import ALL_CLEAR, DAY_0, PROTOCOLS, Life, settled, superseded

Begin = Callable[..., Life]
each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)


# Moved --------------------------------------------------------------------------------------------


@each_protocol
def test_a_booking_moved_before_the_treatment_moves_all_that_follows(
    begin: Begin, protocol: str
) -> None:
    life = begin()
    life.book(protocol, "2026-05-05 11:00")
    life.move("2026-05-06 15:30")
    moved = [each.key for each in life.chart.reminders]
    life.until("2026-05-06 15:30")
    life.done()
    life.until("2026-09-30 12:00")
    assert settled(life)
    assert sorted(each.key for each in life.chart.reminders) == sorted(moved)
    assert set(life.states()) <= {"sent", "skipped/not-applicable"}
    assert life.untrue() == {}


def test_a_session_moved_after_day_0_has_left_tells_nothing_twice_and_corrects_the_ends(
    begin: Begin,
) -> None:
    life = begin()
    life.treat("mesotherapy", "2026-03-10 14:30")
    life.until("2026-03-10 18:00")
    life.move("2026-03-10 17:30")
    false = life.untrue()
    assert set(false) == {"no-shower", "no-heat-or-sun", "no-exercise"}
    assert {each.cause for each in false.values()} == {Cause.MOVED}
    said = life.correction()
    assert "Tuesday 10 March at 17:30, not Tuesday 10 March at 14:30" in said
    assert "Until Thursday 12 March at 17:30, please:" in said
    assert "Until Wednesday 11 March at 05:30, please:" in said
    life.until("2026-03-12 17:29")
    assert set(life.untrue()) == {"no-heat-or-sun", "no-exercise"}
    assert not ALL_CLEAR & set(life.sent_on("2026-03-12"))
    life.until("2026-04-30 12:00")
    assert [when for when, name in life.sent() if name in ALL_CLEAR] == ["2026-03-12 17:30"] * 3
    assert life.untrue() == {}


def test_a_few_minutes_for_the_record_call_nobody(begin: Begin) -> None:
    life = begin()
    life.treat("mesotherapy", "2026-03-10 14:30")
    life.until("2026-03-10 14:45")
    life.done(when="2026-03-10 14:35")
    assert life.untrue() == {}
    life.until("2026-03-13 12:00")
    assert ("2026-03-12 14:35", "exercise-again") in life.sent()


def test_moved_to_the_past_what_is_over_by_then_is_not_sent(begin: Begin) -> None:
    life = begin()
    life.book("mesotherapy", "2026-03-12 11:00")
    life.until("2026-03-11 09:00")
    life.move("2026-03-10 09:00")
    assert life.state("no-exercise") == "held/unconfirmed"
    life.done()
    life.until("2026-04-30 12:00")
    assert life.state("no-shower") == "expired/unconfirmed"
    first = life.told[0]
    assert (local(first.at), set(first.names)) == (
        "2026-03-11 09:00",
        {"no-heat-or-sun", "no-exercise", "anti-inflammatories", "shower-again"},
    )


def test_moved_ahead_again_after_its_day_what_was_given_up_is_revived(begin: Begin) -> None:
    life = begin()
    life.book("mesotherapy", "2026-03-10 11:00")
    life.until("2026-03-12 12:00")
    assert life.state("no-exercise") == "expired/unconfirmed"
    life.move("2026-03-17 11:00")
    assert life.state("no-exercise") == "held/unconfirmed"
    life.until("2026-03-17 11:00")
    life.done()
    life.until("2026-04-30 12:00")
    assert life.states().keys() == {"sent", "skipped/not-applicable"}
    assert set(life.told[0].names) == DAY_0


def test_aftercare_said_too_early_is_corrected_from_the_treatment_on(begin: Begin) -> None:
    life = begin()
    life.treat("mesotherapy", "2026-03-10 14:30")
    life.until("2026-03-10 16:00")
    life.move("2026-03-10 17:30")
    said = life.correction()
    assert "From Tuesday 10 March at 17:30 until Thursday 12 March at 17:30, please:" in said
    assert "\nUntil" not in said


def test_pre_care_said_for_a_session_that_is_put_off_says_from_when_it_counts(
    begin: Begin,
) -> None:
    life = begin()
    life.book("mesotherapy-course", "2026-03-20 11:00")
    life.until("2026-03-19 12:00")
    assert ("2026-03-17 10:00", "no-retinol-before") in life.sent()
    life.move("2026-04-10 11:00")
    said = life.correction()
    assert "Friday 10 April at 11:00, not Friday 20 March at 11:00" in said
    assert "From Tuesday 7 April at 10:00 until Friday 10 April at 11:00, please:" in said
    assert "From Thursday 9 April at 11:00 until Friday 10 April at 11:00, please:" in said
    assert "\nUntil Friday 10 April" not in said


# Called off ---------------------------------------------------------------------------------------


@each_protocol
@pytest.mark.parametrize("no_show", [False, True])
def test_of_what_is_called_off_nothing_more_leaves(
    begin: Begin, protocol: str, no_show: bool
) -> None:
    life = begin("2026-05-01 09:00")
    life.book(protocol, "2026-05-05 11:00")
    life.until("2026-05-05 11:30" if no_show else "2026-05-04 12:00")
    before = len(life.told)
    life.call_off(no_show=no_show)
    assert {each.cause for each in life.untrue().values()} <= {Cause.CALLED_OFF}
    life.until("2026-09-30 12:00")
    assert len(life.told) == before
    assert settled(life)
    assert life.untrue() == {}


def test_a_treatment_that_never_was_is_taken_back_in_words_that_fit_the_past(begin: Begin) -> None:
    life = begin()
    life.treat("mesotherapy", "2026-03-10 14:30")
    life.until("2026-03-10 16:00")
    life.call_off(no_show=True)
    assert set(life.untrue()) == {"no-shower", "no-heat-or-sun", "no-exercise"}
    assert "Your session on Tuesday 10 March at 14:30 is cancelled." in life.correction()
    assert "until" not in life.correction().lower()


def test_cancelled_then_booked_again_is_a_session_of_its_own(begin: Begin) -> None:
    life = begin()
    life.book("mesotherapy-course", "2026-03-20 11:00")
    life.until("2026-03-19 12:00")
    life.call_off()
    assert life.untrue() != {}
    life.book("mesotherapy-course", "2026-03-20 11:00")
    assert life.untrue() == {}
    life.until("2026-03-20 11:00")
    life.done(2)
    life.until("2026-05-30 12:00")
    assert life.states(2)["sent"] > 15
    assert life.state("spf") == "cancelled/session-cancelled"


# Done at another minute ---------------------------------------------------------------------------


@each_protocol
@pytest.mark.parametrize(
    "took_place", ["2026-05-05 10:20", "2026-05-05 11:25"], ids=["earlier", "later"]
)
def test_done_at_another_minute_counts_from_there(
    begin: Begin, protocol: str, took_place: str
) -> None:
    life = begin("2026-04-01 09:00")
    life.book(protocol, "2026-05-05 11:00")
    life.until("2026-05-05 11:30")
    life.done(when=took_place)
    assert life.untrue() == {}
    treated_at = at(took_place)
    for each in life.chart.reminders:
        if each.milestone in {"no-exercise", "no-touch", "postpone-procedures"}:
            assert each.nominal_at == treated_at
    life.until("2026-09-30 12:00")
    assert settled(life)


def test_marked_done_days_later_sends_once_what_is_still_useful(begin: Begin) -> None:
    life = begin()
    life.book("mesotherapy", "2026-03-10 14:30")
    life.until("2026-03-12 11:00")
    assert life.told == []
    life.done()
    life.until("2026-03-12 11:00")
    (message,) = life.told
    assert set(message.names) == {
        "no-heat-or-sun", "no-exercise", "anti-inflammatories", "massage", "bruising", "spf",
        "check-in",
    }  # fmt: skip
    assert (life.state("no-shower"), life.state("massage")) == ("expired/unconfirmed",) * 2
    life.until("2026-04-30 12:00")
    assert settled(life)


# Recorded late ------------------------------------------------------------------------------------


@each_protocol
def test_a_session_added_days_later_sends_what_is_still_useful_in_one_message(
    begin: Begin, protocol: str
) -> None:
    life = begin("2026-03-12 11:00")
    life.book(protocol, "2026-03-10 14:30")
    life.until("2026-03-12 11:00")
    assert len(life.told) == 1
    life.until("2026-09-30 12:00")
    assert settled(life)
    assert all(each.startswith(("sent", "skipped")) for each in life.states())
    assert life.untrue() == {}


def test_four_weeks_of_pre_care_for_a_session_in_three_days(begin: Begin) -> None:
    life = begin("2026-03-17 12:00")
    life.book("mesotherapy-facial", "2026-03-20 11:00")
    life.until("2026-03-17 12:00")
    (message,) = life.told
    assert set(message.names) == {
        "no-procedures-before", "no-acids-before", "no-alcohol-before", "ask-about-medication",
        "no-event-after",
    }  # fmt: skip
    assert "Until Friday 20 March at 11:00" in message.text
    life.until("2026-03-20 11:00")
    assert life.sent_on("2026-03-18") == ["no-retinol-before"]


def test_pre_care_of_a_session_booked_for_tomorrow_leaves_out_what_is_too_late(
    begin: Begin,
) -> None:
    life = begin("2026-03-19 16:00")
    life.book("mesotherapy-facial", "2026-03-20 11:00")
    assert life.state("ask-about-medication") == "skipped/past"
    life.until("2026-03-19 16:00")
    assert "ask-about-medication" not in life.told[0].names
    assert len(life.told) == 1


# Several sessions ---------------------------------------------------------------------------------


def test_one_is_never_told_to_massage_what_must_not_be_touched(begin: Begin) -> None:
    life = begin()
    life.treat("mesotherapy", "2026-03-10 10:00")
    life.treat("mesotherapy-gentle", "2026-03-10 15:00")
    life.until("2026-05-30 12:00")
    massages = [when for when, name in life.sent() if name == "massage"]
    assert massages == ["2026-03-13 10:00"]
    assert life.state("massage", 1, 1) == life.state("massage", 1, 2) == "skipped/conflict"
    days = [when[:10] for when, name in life.sent() if name == "spf"]
    assert len(days) == len(set(days)) == 14
    assert not ALL_CLEAR & set(life.sent_on("2026-03-12")) - {"heat-again", "sunbathing-again"}


@each_protocol
def test_three_overlapping_sessions_of_one_person_end_with_the_last(
    begin: Begin, protocol: str
) -> None:
    life = begin()
    for day in ("10", "11", "12"):
        life.treat(protocol, f"2026-03-{day} 14:30")
    life.until("2026-09-30 12:00")
    spf = [when[:10] for when, name in life.sent() if name == "spf"]
    assert len(spf) == len(set(spf))
    releases = [(when, name) for when, name in life.sent() if name in ALL_CLEAR]
    assert all(when.startswith("2026-03-14") for when, _ in releases)
    assert not any(each.needs_staff for each in superseded(life))
    assert life.untrue() == {}


def test_the_course_stops_reminding_once_the_next_session_is_booked(begin: Begin) -> None:
    life = begin()
    life.treat("mesotherapy-course", "2026-03-10 10:00")
    life.until("2026-03-12 10:00")
    life.book("mesotherapy-course", "2026-03-18 10:00")
    assert life.state("next-session") == "skipped/booked"
    life.call_off(2)
    life.until("2026-03-14 12:00")
    assert life.state("next-session") == "sent"
    life.book("mesotherapy-course", "2026-03-19 10:00")
    life.move("2026-03-09 10:00")
    assert "next-session" not in life.untrue()


# An all-clear that is taken back ------------------------------------------------------------------


def test_a_new_treatment_after_the_all_clear_says_so_itself(begin: Begin) -> None:
    life = begin()
    life.treat("mesotherapy", "2026-03-10 14:30")
    life.until("2026-03-16 12:00")
    life.treat("mesotherapy-gentle", "2026-03-17 10:00")
    assert life.untrue() == {}
    life.until("2026-03-17 11:00")
    assert life.untrue() == {}


def test_a_session_recorded_after_the_all_clear_had_left_is_told_at_once(begin: Begin) -> None:
    life = begin()
    life.treat("mesotherapy", "2026-03-10 14:30")
    life.until("2026-03-12 15:00")
    assert set(life.sent_on("2026-03-12")) >= ALL_CLEAR
    life.book("mesotherapy-basic", "2026-03-12 09:00")
    assert life.untrue() == {}  # its own message is on its way
    life.until("2026-03-12 15:00")
    assert "no-exercise" in life.told[-1].names
    assert life.untrue() == {}


def test_with_no_way_to_tell_it_a_person_sees_the_all_clear_that_is_false(begin: Begin) -> None:
    life = begin()
    life.treat("mesotherapy", "2026-03-10 14:30")
    life.until("2026-03-12 15:00")
    life.consent(granted=False)
    life.book("mesotherapy-basic", "2026-03-12 09:00")
    (false,) = life.untrue().values()
    assert (false.reminder.milestone, false.cause) == ("exercise-again", Cause.FORBIDDEN_AGAIN)
    assert "Until Sunday 15 March at 09:00, please:\n- Avoid hard exercise" in life.correction()
    life.until("2026-03-15 09:00")
    assert life.untrue() == {}
