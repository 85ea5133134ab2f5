"""A patient never gets more messages on one day than the clinic has set."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reminderd.cli import waiting
from reminderd.errors import Temporary
from reminderd.interfaces import ReminderFilter
from reminderd.model import Consent
from reminderd.staff import items
from tests.configuration import configuration
from tests.core.build import LONG_AGO, at, local
from tests.core.desk import Desk, rule

MORNING = "2026-03-10 08:30"
TWO_A_DAY = configuration("[sending]\nmost_per_day = 2\n", quiet="00:00-00:00")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, at(MORNING), config=TWO_A_DAY)
    yield desk
    desk.close()


def hourly(desk: Desk, count: int, expires: str = "48h") -> None:
    """Milestones that are due one an hour, from an hour after the treatment."""
    desk.protocol(*(rule(f"n{n}", after=f"{n}h", expires=expires) for n in range(1, count + 1)))


def test_what_is_one_too_many_waits_for_the_patients_next_date(desk: Desk) -> None:
    hourly(desk, 4)
    desk.treat(desk.patient(timezone="America/New_York"), MORNING)
    for hour in (1, 2, 3, 4):
        desk.drain(f"2026-03-10 {8 + hour:02}:30")
    assert len(desk.sms.sent) == 2
    waiting = desk.reminders(states=frozenset({desk.the("n3").state}))
    assert {each.milestone for each in waiting} == {"n3", "n4"}
    # 08:30 in Madrid is 03:30 in New York, where midnight comes at 05:00 in Madrid.
    assert {local(each.wake_at) for each in waiting} == {"2026-03-11 05:00"}
    desk.drain("2026-03-11 04:59")
    assert len(desk.sms.sent) == 2
    desk.drain("2026-03-11 05:00")
    assert len(desk.sms.sent) == 3  # both in one message
    assert set(desk.states().values()) == {"sent"}


def test_what_waits_for_the_next_date_says_why(desk: Desk) -> None:
    hourly(desk, 4)
    patient_id = desk.treat(desk.patient(), MORNING).patient_id
    for hour in (1, 2, 3):
        desk.drain(f"2026-03-10 {8 + hour:02}:30")
    chart = desk.intake.chart(patient_id)
    told = {
        name: waiting.reasons(desk.house, chart, desk.the(name), desk.now)
        for name in ("n1", "n3", "n4")
    }
    because = "the patient has had as many messages today as may be: it waits for tomorrow"
    assert told == {"n1": [], "n3": [because], "n4": []}


def test_what_cannot_wait_so_long_expires_and_is_told(desk: Desk) -> None:
    hourly(desk, 3, expires="2h")
    desk.treat(desk.patient(), MORNING)
    for hour in (1, 2, 3):
        desk.drain(f"2026-03-10 {8 + hour:02}:30")
    assert desk.states() == {"n1": "sent", "n2": "sent", "n3": "scheduled"}
    assert local(desk.dispatch().next_wake_at(desk.now)) == "2026-03-10 13:30"
    drained = desk.dispatch().drain(at("2026-03-10 13:30"))
    assert sum(drained.expired.values()) == 1
    assert desk.states()["n3"] == "expired/late"


def test_all_channels_count_together_and_other_patients_do_not(desk: Desk) -> None:
    desk.protocol(
        rule("a", after="1h", channels=["sms"]),
        rule("b", after="2h", channels=["email"]),
        rule("c", after="3h", channels=["email"]),
    )
    both = desk.patient(channels="sms email")
    desk.treat(both, MORNING)
    for hour in (1, 2, 3):
        desk.drain(f"2026-03-10 {8 + hour:02}:30")
    assert (len(desk.sms.sent), len(desk.email.sent)) == (1, 1)
    other = desk.patient("Paco")
    desk.treat(other, "2026-03-10 11:45")
    desk.drain("2026-03-10 12:45")
    assert len(desk.sms.sent) == 2


def test_the_most_pressing_comes_first_where_one_more_may_leave(desk: Desk) -> None:
    desk.protocol(
        rule("early", after="1h"),
        rule("news", after="2h", channels=["email"]),
        rule("ban", "restriction", after="2h", holds="12h", channels=["sms"]),
    )
    desk.treat(desk.patient(channels="email sms"), MORNING)
    desk.drain("2026-03-10 09:30")
    desk.drain("2026-03-10 10:30")
    assert desk.states() == {"early": "sent", "ban": "sent", "news": "scheduled"}


def test_what_did_not_leave_does_not_count(desk: Desk) -> None:
    hourly(desk, 1)
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(*[Temporary("busy") for _ in range(4)])
    desk.drain("2026-03-10 09:30")
    for minutes in (5, 20, 40, 60):
        desk.later(minutes=minutes)
    assert desk.states() == {"n1": "sent"}
    assert desk.the("n1").attempts == 5


def test_the_log_says_whose_messages_wait_and_nothing_else_of_them(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    hourly(desk, 3)
    desk.treat(desk.patient(), MORNING)
    with caplog.at_level(logging.WARNING):
        for hour in (1, 2, 3, 4, 5):
            desk.drain(f"2026-03-10 {8 + hour:02}:30")
    assert caplog.text.count("pat-1 has had as many messages as may be today") == 1
    assert "Vera" not in caplog.text


# After an outage --------------------------------------------------------------------------------


def test_after_days_without_power_there_is_one_message_with_what_is_still_right(
    desk: Desk,
) -> None:
    desk.protocol(
        rule("gone", after="1h", expires="12h"),
        rule("old", after="2h", expires="72h"),
        rule("daily", "routine", days=[1, 4], at="10:00", expires="23h"),
        rule("ahead", after="90h", expires="12h"),
        rule("by-mail", after="3h", expires="72h", channels=["email"]),
    )
    desk.treat(desk.patient(channels="sms email"), MORNING)
    drained = desk.dispatch().drain(at("2026-03-12 12:00"))
    assert dict(drained.expired) == {"late": 2}  # "gone", and the routine of the day before
    assert drained.deliveries == 2
    desk.drain("2026-03-12 12:01")
    (text,), (mail,) = desk.sms.sent, desk.email.sent
    assert text.text.count("Line of") == 2
    assert "Line of old" in text.text
    assert "Line of daily" in text.text
    assert "by-mail" in mail.text


def test_who_withdrew_during_the_outage_gets_nothing(desk: Desk) -> None:
    hourly(desk, 2)
    who = desk.patient()
    desk.treat(who, MORNING)
    with desk.outbox.transaction():
        patient = desk.outbox.find_patient("pat-1")
        assert patient is not None
        said = {channel: Consent(False, LONG_AGO, "by phone") for channel in patient.channels}
        desk.outbox.update_patient(replace(patient, consent=said), at("2026-03-10 12:00"))
    desk.drain("2026-03-11 12:00")
    assert desk.sms.asked == 0
    assert desk.outbox.count_reminders(ReminderFilter()) == 2
    assert set(desk.states().values()) == {"skipped/no-consent"}


def test_a_retry_is_never_carried_into_the_night_or_past_its_expiry(tmp_path: Path) -> None:
    desk = Desk(tmp_path, at("2026-03-10 18:00"))
    desk.protocol(rule("late", after="2h", expires="1h"), rule("note", after="2h", expires="24h"))
    desk.treat(desk.patient(), "2026-03-10 18:00")
    desk.sms.script(*[Temporary("busy") for _ in range(50)])
    desk.drain("2026-03-10 20:00")
    for _ in range(30):
        desk.later(minutes=4)
    desk.close()
    asked = desk.sms.asked
    assert 1 < asked < 50
    assert desk.states() == {"late": "expired/late", "note": "scheduled"}
    assert local(desk.the("note").wake_at) == "2026-03-11 08:00"


def test_staff_see_whose_messages_wait_for_tomorrow(desk: Desk) -> None:
    hourly(desk, 4)
    desk.treat(desk.patient(), MORNING)
    desk.treat(desk.patient("Paco"), "2026-03-10 10:00")
    for hour in (1, 2):
        desk.drain(f"2026-03-10 {8 + hour:02}:30")
    assert items.waiting(desk.house, desk.now) == []
    desk.drain("2026-03-10 12:31")
    (item,) = [each for each in items.waiting(desk.house, desk.now) if each["id"] == "pat-1"]
    assert item["why"] == "2 messages today, as many as may be; waiting: 2"
    desk.drain("2026-03-11 00:00")
    assert items.waiting(desk.house, desk.now) == []


def test_one_message_is_told_as_one(tmp_path: Path) -> None:
    one_a_day = configuration("[sending]\nmost_per_day = 1\n", quiet="00:00-00:00")
    desk = Desk(tmp_path, at(MORNING), config=one_a_day)
    hourly(desk, 2)
    desk.treat(desk.patient(), MORNING)
    desk.drain("2026-03-10 09:30")
    desk.clock.move_to(at("2026-03-10 10:31"))
    (item,) = items.waiting(desk.house, desk.now)
    desk.close()
    assert item["why"] == "1 message today, as many as may be; waiting: 1"
