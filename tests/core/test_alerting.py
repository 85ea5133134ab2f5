"""Who at the clinic is told of what, and when: on a virtual clock, with a real mail server."""

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reminderd.alert_book import Alert
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.errors import TryAgainLater
from reminderd.holding import hold, release
from reminderd.model import Severity
from reminderd.sealing import SealBroken
from reminderd.stopped_texts import stop
from reminderd.words import Channel
from tests.core import wishing
from tests.core.alarming import DOCTOR, FRONT, NUMBER, WORDS, Duty, on_duty
from tests.core.desk import NOTE
from tests.fakes.smtp_server import SmtpServer


@pytest.fixture(scope="module")
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture
def duty(tmp_path: Path, server: SmtpServer) -> Iterator[Duty]:
    server.forget()
    with on_duty(tmp_path, server) as made:
        yield made


@pytest.fixture
def duty_with(tmp_path: Path, server: SmtpServer) -> Iterator[Any]:
    """A clinic with other settings in `[alerts]`."""
    server.forget()
    opened = []

    def make(**given: Any) -> Duty:
        context = on_duty(tmp_path, server, **given)
        opened.append(context)
        return context.__enter__()

    yield make
    for each in opened:
        each.__exit__(None, None, None)


# A red flag ------------------------------------------------------------------------------------


def test_a_red_flag_is_told_at_once_and_once(duty: Duty) -> None:
    assert duty.look() == []
    duty.red_flag()
    assert duty.look(seconds=5) == [FRONT]
    assert duty.look(seconds=5) == []
    duty.restart()
    assert duty.look(seconds=5) == []


def test_it_says_whom_to_call_and_what_to_type_and_nothing_that_is_private(duty: Duty) -> None:
    duty.desk.patient("Vera", ref="A-17")
    duty.red_flag(Severity.EMERGENCY, 1)
    duty.look()
    text, subject = duty.text(), str(duty.mail()["Subject"])
    assert subject == "Alba Skin Clinic: EMERGENCY, red flag, inc-1"
    for wanted in (NUMBER, "pat-1 (A-17)", "inc-1", "emergency", "Tuesday 10 March at 10:00"):
        assert wanted in text
    assert "\n    reminderd incident show inc-1\n" in text.replace("\r", "")
    assert "\n    reminderd incident ack inc-1" in text.replace("\r", "")
    for private in ("Vera", "Verano", WORDS):
        assert private not in duty.mail().as_string()


def test_staff_are_offered_no_button_to_unsubscribe(duty: Duty) -> None:
    duty.red_flag()
    duty.look()
    assert duty.mail()["List-Unsubscribe"] is None
    assert duty.mail()["Auto-Submitted"] == "auto-generated"


def test_when_nobody_takes_it_on_the_second_contact_is_told_and_the_first_again(
    duty: Duty,
) -> None:
    duty.red_flag(Severity.URGENT)
    assert duty.look() == [FRONT]
    assert duty.look(minutes=14, seconds=59) == []
    assert duty.look(seconds=1) == [FRONT, DOCTOR]
    assert str(duty.mail()["Subject"]).endswith("nobody has taken on inc-1")
    assert "For 15 minutes nobody has said" in duty.text()
    assert duty.look(hours=3) == []


def test_once_somebody_has_taken_it_on_nobody_else_is_called(duty: Duty) -> None:
    flag = duty.red_flag()
    duty.look()
    duty.keep(replace(flag, acknowledged_at=duty.desk.now, acknowledged_by="Bo Tarn"))
    assert duty.look(minutes=20) == []


def test_a_further_red_flag_is_told_anew_and_a_worse_one_has_to_be_taken_on_again(
    duty: Duty,
) -> None:
    flag = duty.red_flag(Severity.URGENT)
    duty.look()
    taken_on = replace(flag, acknowledged_at=duty.desk.now, acknowledged_by="Bo Tarn")
    duty.desk.clock.move(timedelta(minutes=1))
    duty.keep(replace(taken_on, raised_at=duty.desk.now))
    assert duty.look() == [FRONT]
    assert duty.look(minutes=20) == []
    duty.writes_again(Severity.EMERGENCY)
    assert duty.look() == [FRONT]
    assert duty.look(minutes=14) == []
    assert duty.look(minutes=1) == [FRONT, DOCTOR]


@pytest.mark.parametrize("severity", Severity)
def test_whoever_goes_on_writing_does_not_put_off_the_second_contact(
    duty: Duty, severity: Severity
) -> None:
    duty.writes_again(severity)
    assert duty.look() == [FRONT]
    for _ in range(2):
        duty.desk.clock.move(timedelta(minutes=6))
        duty.writes_again(severity)
        assert duty.look() == [FRONT]
    assert duty.look(minutes=3) == [FRONT, DOCTOR]


def test_one_that_nobody_knew_of_while_we_were_down_goes_to_everybody_once(duty: Duty) -> None:
    duty.red_flag()
    assert duty.look(minutes=40) == [FRONT, DOCTOR]
    assert duty.look(minutes=40) == []


def test_a_closed_one_is_told_to_nobody(duty: Duty) -> None:
    flag = duty.red_flag()
    duty.keep(replace(flag, closed_at=duty.desk.now, closed_by="Bo Tarn", why="Seen."))
    assert duty.look(minutes=20) == []


# What keeps messages from patients -------------------------------------------------------------


def test_that_sending_is_held_is_told_once_each_time(duty: Duty) -> None:
    for _ in range(2):
        with duty.desk.outbox.transaction():
            hold(duty.desk.outbox, "clock-behind", "the clock went back", duty.desk.now)
        assert duty.look(minutes=1) == [FRONT]
        assert "Why: the clock went back" in duty.text()
        assert "reminderd release" in duty.text()
        assert duty.look(hours=1) == []
        with duty.desk.outbox.transaction():
            release(duty.desk.outbox, None, "Bo Tarn", duty.desk.now)


def test_a_transport_that_is_refused_again_and_again_is_told_once(duty: Duty) -> None:
    for minutes in (0, 6, 90):
        duty.desk.clock.move(timedelta(minutes=minutes))
        duty.rests()
        assert duty.look() == ([] if minutes else [FRONT])
    assert "nothing leaves by console" in str(duty.mail()["Subject"])
    duty.desk.clock.move(timedelta(hours=7))
    duty.rests()
    assert duty.look() == [FRONT]


def test_one_of_which_an_older_version_noted_that_it_rests_is_told_once(duty: Duty) -> None:
    until = duty.desk.now + timedelta(minutes=5)
    with duty.desk.outbox.transaction():
        note = json.dumps([until.isoformat(), "who are you", True])
        duty.desk.outbox.set_note("resting.console", note)
    assert duty.look() == [FRONT]
    assert duty.look(seconds=5) == []


def test_one_that_only_waits_for_the_network_is_no_matter_for_people(duty: Duty) -> None:
    duty.rests(needs_staff=False)
    assert duty.look() == []


def test_a_text_that_was_refused_is_told(duty: Duty) -> None:
    duty.desk.protocol(NOTE)
    with duty.desk.outbox.transaction():
        texts = duty.desk.house.practice.texts
        stop(duty.desk.outbox, texts, ["note"], Channel.SMS, "console: spam", duty.desk.now)
    assert duty.look() == [FRONT]
    assert "Why: console: spam" in duty.text()


# Whatever stands in the way --------------------------------------------------------------------


def test_what_the_mail_server_does_not_take_is_tried_again_and_stands_on_the_staff_s_list(
    duty: Duty, server: SmtpServer, caplog: pytest.LogCaptureFixture
) -> None:
    duty.red_flag()
    server.script("RCPT", "450 4.2.1 later", "450 4.2.1 later")
    assert duty.look() == duty.look(seconds=10) == []
    (listed,) = duty.untold()
    assert listed["why"].startswith(f"{FRONT} is not told, tries: 1: RCPT")
    assert duty.look(seconds=21) == []
    assert duty.look(minutes=1) == [FRONT]
    assert duty.untold() == []
    logged = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert len(logged) == 1


def test_a_crash_between_the_mail_and_its_record_leads_to_a_second_mail_and_not_to_none(
    duty: Duty, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    duty.red_flag()
    keep = EmbeddedOutbox.keep_alert

    def fails(outbox: EmbeddedOutbox, alert: Alert) -> None:
        if alert.sent_at is not None:
            raise TryAgainLater("the disk is full")
        keep(outbox, alert)

    with monkeypatch.context() as broken:
        broken.setattr(EmbeddedOutbox, "keep_alert", fails)
        assert duty.look() == [FRONT]
        assert duty.look(seconds=10) == []
    assert duty.look(seconds=25) == [FRONT]
    assert duty.look(minutes=10) == []
    assert "alerts wait: the disk is full" in caplog.text


def test_what_cannot_be_noted_is_not_sent_over_and_over_and_the_log_says_it_once(
    duty: Duty, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    duty.red_flag()

    def full(*_: object) -> None:
        raise TryAgainLater("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(EmbeddedOutbox, "add_alert", full)
        assert [duty.look(seconds=5) for _ in range(3)] == [[], [], []]
    assert caplog.text.count("the disk is full") == 1
    assert duty.look(seconds=5) == [FRONT]


def test_what_cannot_be_written_keeps_nobody_from_being_told_of_a_red_flag(
    duty_with: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    duty = duty_with(digest_at="10:00")

    def damaged(*_: object) -> None:
        raise SealBroken("sessions.area of row 7 cannot be opened")

    monkeypatch.setattr("reminderd.alerting.digest", damaged)
    assert duty.look() == []
    duty.red_flag()
    assert duty.look(seconds=5) == [FRONT]
    (listed,) = duty.untold()
    assert listed["why"] == f"{FRONT} is not told, tries: 1: SealBroken"


def test_a_red_flag_is_told_before_whatever_has_waited_longer(
    duty_with: Any, server: SmtpServer
) -> None:
    duty = duty_with(digest_at="10:00")
    server.script("RCPT", "450 4.2.1 later")
    assert duty.look() == []
    duty.desk.clock.move(timedelta(seconds=31))
    duty.red_flag()
    assert duty.look() == [FRONT, FRONT]
    assert "red flag" in str(duty.mail(-2)["Subject"])


def test_what_was_noted_by_a_wrong_clock_is_told_by_the_right_one(duty: Duty) -> None:
    wrong = duty.desk.now + timedelta(days=300)
    flag = duty.red_flag()
    duty.keep(replace(flag, opened_at=wrong, raised_at=wrong))
    with duty.desk.outbox.transaction():
        duty.desk.outbox.add_alert(f"incident/1/{wrong.isoformat()}/second", [DOCTOR], wrong)
    assert duty.look() == [DOCTOR]


def test_and_where_it_is_not_taken_not_at_every_look(duty: Duty, server: SmtpServer) -> None:
    flag, wrong = duty.red_flag(), duty.desk.now + timedelta(days=300)
    with duty.desk.outbox.transaction():
        key = f"incident/1/{flag.raised_at.isoformat()}/first"
        duty.desk.outbox.add_alert(key, [FRONT], wrong)
    server.script("RCPT", "450 4.2.1 later")
    assert duty.look() == []
    assert duty.look(seconds=5) == []
    assert duty.look(seconds=26) == [FRONT]


def test_whoever_is_no_longer_named_is_not_told(duty: Duty) -> None:
    duty.red_flag()
    with duty.desk.outbox.transaction():
        key = f"incident/1/{duty.desk.now.isoformat()}/first"
        duty.desk.outbox.add_alert(key, ["gone@example.org", FRONT], duty.desk.now)
    assert duty.look() == [FRONT]
    gone, _ = duty.desk.outbox.alerts("incident/1/")
    assert (gone.wake_at, gone.error) == (None, "no longer in [alerts]")


def test_it_is_given_up_after_a_day(duty: Duty, server: SmtpServer) -> None:
    duty.red_flag()
    server.script("RCPT", *["450 4.2.1 later"] * 200)
    for _ in range(50):
        duty.look(minutes=31)
    told = duty.desk.outbox.alerts("incident/1/")
    assert [(each.wake_at, each.sent_at) for each in told] == [(None, None)] * 2
    server.script_nothing()


def test_what_is_no_longer_so_is_not_told_late(duty: Duty, server: SmtpServer) -> None:
    flag = duty.red_flag()
    server.script("RCPT", "450 4.2.1 later")
    duty.look()
    duty.keep(replace(flag, acknowledged_at=duty.desk.now, acknowledged_by="Bo Tarn"))
    assert duty.look(minutes=2) == []
    (alert,) = duty.desk.outbox.alerts("incident/1/")
    assert (alert.wake_at, alert.error) == (None, "no longer so")


def test_a_mistake_in_the_clinic_s_own_words_keeps_nobody_from_being_told(duty: Duty) -> None:
    duty.desk.template("_alert", "{% block subject %}{{ nobody }}{% endblock %}")
    duty.red_flag()
    assert duty.look() == [FRONT]
    assert "reminderd incident ack inc-1" in duty.text()


def test_the_clinic_s_own_words_are_told(duty: Duty) -> None:
    own = "{% block NAME %}{{ clinic.name }}: go to {{ alert.id }}{% endblock %}\n"
    blocks = [own.replace("NAME", name) for name in ("subject", "email", "note")]
    duty.desk.template("_alert", "".join(blocks))
    duty.red_flag()
    duty.look()
    assert duty.text().strip() == "Alba Skin Clinic: go to inc-1"


def test_nobody_is_told_where_nobody_is_named(duty_with: Any) -> None:
    duty = duty_with(to=[], second=[])
    duty.red_flag()
    assert duty.look() == []
    assert duty.desk.outbox.alerts("") == []


# How the day stands ----------------------------------------------------------------------------


def test_the_digest_comes_once_a_day_at_its_hour_with_numbers_and_no_names(
    duty_with: Any,
) -> None:
    duty = duty_with(digest_at="10:30")
    duty.desk.protocol(NOTE)
    vera = duty.desk.patient("Vera", phone=NUMBER)
    duty.desk.treat(vera, "2026-03-10 10:00")
    assert duty.look(minutes=29) == []
    assert duty.look(minutes=1) == [FRONT]
    assert str(duty.mail()["Subject"]) == "Alba Skin Clinic: Tuesday 10 March"
    assert "- Messages today: 1" in duty.text()
    assert "- Waiting for a person: 0" in duty.text()
    assert duty.look(hours=12) == []
    for private in ("Vera", "Verano", NUMBER):
        assert private not in duty.mail().as_string()
    assert duty.look(hours=12) == [FRONT]
    assert str(duty.mail()["Subject"]) == "Alba Skin Clinic: Wednesday 11 March"


def test_after_an_outage_only_the_latest_comes(duty_with: Any) -> None:
    duty = duty_with(digest_at="09:00")
    assert duty.look() == [FRONT]
    duty.restart()
    assert duty.look(days=5, hours=-2) == []
    assert duty.look(hours=2) == [FRONT]
    assert str(duty.mail()["Subject"]) == "Alba Skin Clinic: Sunday 15 March"


def test_the_digest_tells_what_went_wrong_and_who_gets_nothing(duty_with: Any) -> None:
    duty = duty_with(digest_at="10:00")
    duty.desk.protocol(NOTE)
    asked = duty.desk.patient("Vera", consent="")
    duty.desk.treat(asked, "2026-03-10 10:00")
    duty.desk.treat(duty.desk.patient("Bo", channels="sms"), "2026-03-10 10:00")
    wishing.stop(duty.desk)
    duty.red_flag()
    duty.look()
    text = duty.text()
    assert "Open incidents:** 1 (inc-1)" in text
    assert "want of consent or an address:** 2 (pat-1, pat-2)" in text
