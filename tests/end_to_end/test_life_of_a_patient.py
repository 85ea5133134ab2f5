"""What becomes of a plan when the patient travels, changes address or language, or says stop."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from reminderd.model import Channel
from tests.end_to_end.life import ALL_CLEAR, DAY_0, PROTOCOLS, Life, settled

NEW_YORK, LORD_HOWE, SAMOA = "America/New_York", "Australia/Lord_Howe", "Pacific/Pago_Pago"
HOUR = timedelta(hours=1)

Begin = Callable[..., Life]
each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)


# The patient travels ------------------------------------------------------------------------------


def test_from_madrid_to_new_york_days_follow_the_patient_and_hours_do_not(begin: Begin) -> None:
    life = begin()
    life.treat("mesotherapy", "2026-03-10 14:30")
    life.until("2026-03-11 12:00")
    before = {each.key: each for each in life.chart.reminders}
    life.edit(timezone=NEW_YORK)
    for each in life.chart.reminders:
        was = before[each.key]
        if each.milestone in ALL_CLEAR | {"check-in"}:
            assert each.nominal_at == was.nominal_at
        elif each.milestone in {"massage", "spf"} and each.occurrence > 1:
            assert each.nominal_at == was.nominal_at + 5 * HOUR
    life.until("2026-04-30 12:00")
    assert life.sent_on("2026-03-12", NEW_YORK) == [
        "check-in", "exercise-again", "heat-again", "sunbathing-again", "massage", "spf"
    ]  # fmt: skip
    assert nothing_twice_on_a_date(life, NEW_YORK)
    assert settled(life)
    assert life.untrue() == {}


def test_what_expired_by_the_journey_is_told(begin: Begin) -> None:
    life = begin()
    life.treat("mesotherapy", "2026-03-10 08:30")
    life.until("2026-03-11 09:30")
    life.edit(timezone=LORD_HOWE)  # 19:30 there: sunscreen was useful until 18:00
    assert (life.state("spf"), life.state("massage")) == ("expired/late", "scheduled")
    life.until("2026-03-11 09:30")
    assert set(life.told[-1].names) == {"massage", "bruising"}


@pytest.mark.parametrize("there", [LORD_HOWE, SAMOA, "Pacific/Kiritimati", "Pacific/Apia"])
@each_protocol
def test_across_the_date_line_and_back_nothing_is_told_twice_or_at_night(
    begin: Begin, protocol: str, there: str
) -> None:
    life = begin()
    life.treat(protocol, "2026-03-10 14:30")
    life.until("2026-03-12 12:00")
    life.edit(timezone=there)
    life.until("2026-03-15 12:00")
    assert nothing_twice_on_a_date(life, there)
    life.edit(timezone=None)
    life.until("2026-09-30 12:00")
    assert settled(life)
    assert life.untrue() == {}


@pytest.mark.parametrize(
    ("zone", "treated"),
    [
        ("Europe/Madrid", "2026-03-28 14:30"),
        ("Europe/Madrid", "2026-10-24 14:30"),
        ("Europe/Madrid", "2026-03-29 02:30"),
        ("Europe/Madrid", "2026-10-25 02:30"),
        (NEW_YORK, "2026-10-31 14:30"),
        (LORD_HOWE, "2026-04-04 14:30"),
        (LORD_HOWE, "2026-10-03 14:30"),
    ],
)
@each_protocol
def test_across_both_clock_changes_days_keep_their_hour_and_hours_their_length(
    begin: Begin, protocol: str, zone: str, treated: str
) -> None:
    life = begin(treated, zone=zone, timezone=zone)
    session = life.treat(protocol, treated)
    life.until(session.at + timedelta(days=150))
    assert settled(life)
    assert life.states().keys() <= {"sent", "skipped/not-applicable", "skipped/past"}
    for when, name in life.sent():
        if name in {"spf", "massage", "cleansing", "bruising"}:
            assert when.endswith("10:00")
    releases = {each.at - session.at for each in life.told if set(each.names) & ALL_CLEAR}
    assert releases <= {48 * HOUR} or treated.endswith("02:30")


def nothing_twice_on_a_date(life: Life, zone: str) -> bool:
    daily = [
        (when[:10], name)
        for when, name in life.sent(zone=zone)
        if name in {"spf", "massage", "massage-optional", "cleansing"}
    ]
    return len(daily) == len(set(daily))


# The patient's data -------------------------------------------------------------------------------


def test_a_wrong_number_is_put_right_and_the_rest_goes_there(begin: Begin) -> None:
    life = begin(email=None, channels=(Channel.SMS,))
    life.treat("mesotherapy", "2026-03-10 14:30")
    life.until("2026-03-10 15:00")
    life.edit(bad_addresses=frozenset({Channel.SMS}))
    assert life.state("shower-again") == "skipped/no-address"
    life.until("2026-03-11 10:30")
    life.edit(phone="+34600000002", bad_addresses=frozenset())
    life.until("2026-04-30 12:00")
    assert {each.to for each in life.told[1:]} == {"+34600000002"}
    assert set(life.told[1].names) == {"shower-again", "massage", "bruising", "spf"}
    assert len(life.sent_on("2026-03-10")) == len(DAY_0)


def test_another_language_in_mid_course_speaks_from_then_on(begin: Begin) -> None:
    life = begin()
    life.treat("mesotherapy", "2026-03-10 14:30")
    life.until("2026-03-11 12:00")
    life.edit(language="es")
    life.until("2026-03-13 12:00")
    assert [each.language for each in life.told] == ["en"] * 3 + ["es"] * 4
    life.move("2026-03-12 14:30")
    assert "Ha cambiado" in life.correction() or "ha cambiado" in life.correction()


def test_another_order_of_channels_sends_the_rest_by_the_new_first(begin: Begin) -> None:
    life = begin()
    life.treat("mesotherapy", "2026-03-10 14:30")
    life.until("2026-03-11 12:00")
    life.edit(channels=(Channel.EMAIL, Channel.SMS))
    life.until("2026-03-13 12:00")
    assert [each.channel for each in life.told] == [Channel.SMS] * 3 + [Channel.EMAIL] * 4


def test_at_another_clinic_its_night_and_its_calendar_count(begin: Begin) -> None:
    life = begin()
    life.treat("mesotherapy", "2026-03-10 14:30")
    life.until("2026-03-11 12:00")
    life.edit(clinic="second")  # quiet until 11:00 in the Canaries
    life.until("2026-03-12 13:00")
    assert life.sent_on("2026-03-12", "Atlantic/Canary") == ["check-in", "massage", "spf"]
    assert {when for when, _ in life.sent()[-3:]} == {"2026-03-12 12:00"}
    assert life.told[-1].language == "es"


# Paused, and consent ------------------------------------------------------------------------------


def test_what_expires_while_paused_says_so_and_the_rest_goes_on(begin: Begin) -> None:
    life = begin()
    life.treat("mesotherapy", "2026-03-10 14:30")
    life.until("2026-03-10 15:00")
    life.edit(paused=True)
    life.until("2026-03-13 12:00")
    assert life.sent_on("2026-03-11") == []
    life.edit(paused=False)
    life.until("2026-03-13 12:00")
    assert life.state("massage", 1, 1) == "expired/paused"
    assert life.state("check-in") == "expired/paused"
    assert set(life.told[-1].names) == {*ALL_CLEAR, "massage", "spf"}
    assert len(life.told) == 2


@each_protocol
def test_consent_given_late_sends_what_is_still_valid_once(begin: Begin, protocol: str) -> None:
    life = begin(consent=())
    life.treat(protocol, "2026-03-10 14:30")
    life.until("2026-03-11 12:00")
    assert life.told == []
    life.consent(Channel.SMS)
    life.until("2026-03-11 12:00")
    assert [each.channel for each in life.told] == [Channel.SMS]
    life.until("2026-09-30 12:00")
    assert settled(life)


def test_consent_withdrawn_and_given_again_repeats_nothing(begin: Begin) -> None:
    life = begin()
    life.treat("mesotherapy", "2026-03-10 14:30")
    life.until("2026-03-10 15:00")
    life.consent(granted=False)
    assert life.state("shower-again") == "skipped/no-consent"
    life.until("2026-03-12 10:30")
    assert len(life.told) == 1
    life.consent(Channel.EMAIL)
    life.until("2026-04-30 12:00")
    assert {each.channel for each in life.told[1:]} == {Channel.EMAIL}
    assert len(life.sent_on("2026-03-10")) == len(DAY_0)
    assert life.state("shower-again") == "skipped/no-consent"
    assert life.untrue() == {}
