"""What providers tell by themselves: doubt is settled, receipts rise, or the mail takes over."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reminderd.engines.embedded.soundness import examine
from reminderd.errors import InDoubt, Temporary
from reminderd.interfaces import Callback
from reminderd.model import Channel, Outcome, Receipt, Resolution
from reminderd.staff import items
from tests.core.build import at
from tests.core.desk import NOTE, Desk, Post, rule, state

MORNING = "2026-03-10 09:00"
DUE = at("2026-03-10 10:00")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
SID, OTHER = "SM1", "SM2"


class Listed(Post):
    """A provider with a list, which is never asked where that is not needed."""

    looks = 0

    def find(self, to: str, text: str, since: datetime) -> list[Callback]:
        self.looks += 1
        return []


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, at("2026-03-10 08:00"))
    desk.protocol(NOTE)
    desk.sms = Listed()
    yield desk
    desk.close()


def leaves(desk: Desk, *answers: Exception, **facts: str) -> None:
    """Vera's text leaves at 10:00, and the provider answers so."""
    desk.treat(desk.patient(**facts), MORNING)
    desk.sms.script(*answers)
    desk.drain(DUE)


def token(desk: Desk, message: int = 1) -> str:
    (row,) = desk.outbox.query("SELECT token FROM attempts WHERE message = ?", (message,))
    return str(row[0])


def tells(
    desk: Desk,
    receipt: str = "queued",
    *,
    sid: str = SID,
    by: str | None = None,
    code: str | None = None,
    meaning: Outcome | None = None,
) -> bool:
    """The provider calls; it is kept, and not yet applied."""
    told = Callback(by, sid, Receipt(receipt), code, meaning)
    with desk.outbox.transaction():
        return desk.outbox.keep_callback(told, desk.now)


def accepted_sid(desk: Desk) -> str:
    return desk.the().provider_id or ""


def nobody_there(desk: Desk, receipt: str = "undelivered") -> None:
    tells(
        desk, receipt, sid=accepted_sid(desk), code="30005", meaning=Outcome.WRONG_ADDRESS
    )  # fmt: skip


# The random id ------------------------------------------------------------------------------------


def test_every_attempt_has_a_random_id_of_its_own_that_is_on_record_before_it_leaves(
    desk: Desk,
) -> None:
    seen: list[tuple[str | None, str]] = []
    desk.sms.script(Temporary("busy"), lambda each: seen.append((each.attempt, token(desk, 2))))
    desk.treat(desk.patient(), MORNING)
    desk.drain(DUE)
    desk.later(minutes=1)
    ((carried, recorded),) = seen
    assert carried == recorded != token(desk, 1)
    assert len(recorded) >= 20


# Evidence -----------------------------------------------------------------------------------------


def test_a_callback_with_the_attempts_id_settles_the_doubt(desk: Desk) -> None:
    leaves(desk, InDoubt("no answer"))
    assert state(desk.the()) == "sending"
    desk.clock.move(5 * SECOND)
    assert tells(desk, by=token(desk))
    assert state(desk.the()) == "sending"
    desk.drain()
    found = desk.the()
    assert (state(found), found.sent_at, found.provider_id) == ("sent", DUE, SID)
    assert found.receipt == "queued"
    assert desk.dispatch().next_wake_at(desk.now) is None
    assert desk.sms.asked == 1


def test_later_evidence_still_makes_it_sent(desk: Desk) -> None:
    leaves(desk, InDoubt("no answer"))
    desk.later(hours=1)
    assert state(desk.the()) == "unknown"
    desk.clock.move(timedelta(days=3))
    tells(desk, "delivered", by=token(desk))
    desk.drain()
    assert (state(desk.the()), desk.the().receipt) == ("sent", "delivered")
    assert desk.reminders(needs_staff=True) == []


def test_evidence_keeps_a_retry_from_leaving_twice(desk: Desk) -> None:
    leaves(desk, Temporary("busy, it says"))
    assert state(desk.the()) == "scheduled"
    tells(desk, by=token(desk))
    desk.later(hours=1)
    assert (state(desk.the()), desk.sms.asked) == ("sent", 1)


@pytest.mark.parametrize("resolution", list(Resolution))
def test_evidence_is_believed_whatever_a_person_has_said(
    desk: Desk, resolution: Resolution
) -> None:
    leaves(desk, InDoubt("no answer"))
    desk.later(hours=1)
    desk.intake.resolve_reminder("rem-1", resolution, "Ana", desk.now)
    tells(desk, by=token(desk))
    desk.drain()
    assert (state(desk.the()), accepted_sid(desk), desk.sms.asked) == ("sent", SID, 1)
    assert "Ana resolved it" in (desk.outbox.attempts(1)[0].error or "")


def test_what_was_sent_again_belongs_to_its_second_message(desk: Desk) -> None:
    leaves(desk, InDoubt("no answer"))
    desk.later(hours=1)
    desk.intake.resolve_reminder("rem-1", Resolution.RESEND, "Ana", desk.now)
    desk.drain()
    assert [each.outcome for each in desk.outbox.attempts(1)] == ["in-doubt", "accepted"]
    second = accepted_sid(desk)
    tells(desk, "failed", by=token(desk))
    desk.drain()
    assert (accepted_sid(desk), desk.the().receipt) == (second, None)
    assert [each.outcome for each in desk.outbox.attempts(1)] == ["accepted", "accepted"]
    assert {each.level for each in examine(desk.outbox.path)} == {"fine"}  # a person said so


def test_what_left_twice_by_a_persons_word_is_told_for_a_week(desk: Desk) -> None:
    desk.protocol(NOTE, rule("more", after="1h"))
    leaves(desk, InDoubt("no answer"))
    desk.later(hours=1)
    desk.intake.resolve_reminder("rem-1", Resolution.RESEND, "Ana", desk.now)
    desk.drain()
    assert items.waiting(desk.house, desk.now) == []
    tells(desk, "sent", by=token(desk))
    desk.drain()
    (item,) = items.waiting(desk.house, desk.now)
    told = (item["id"], item["patient"], item["reminders"])
    assert told == ("msg-2", "pat-1", ["rem-1", "rem-2"])
    assert "the first message was accepted too" in item["why"]
    assert items.waiting(desk.house, desk.now + timedelta(days=8)) == []


def test_a_reminder_whose_text_failed_was_not_in_the_message(desk: Desk) -> None:
    desk.protocol(NOTE, rule("broken", after="1h"))
    desk.template("broken", "{% block line %}{{ 1 / 0 }}{% endblock %}"
                            "{% block sms %}{{ 1 / 0 }}{% endblock %}")  # fmt: skip
    leaves(desk, InDoubt("no answer"))
    tells(desk, by=token(desk))
    desk.drain()
    assert desk.states() == {"note": "sent", "broken": "failed/template"}


def test_what_has_left_after_all_and_is_false_by_now_is_for_a_person_to_put_right(
    desk: Desk,
) -> None:
    desk.protocol(rule("note", "restriction", holds="48h", after="1h"))
    leaves(desk, Temporary("busy, it says"))
    desk.clock.move(5 * SECOND)
    desk.intake.move_session("ses-1", at("2026-03-09 18:00"), desk.now)
    tells(desk, by=token(desk))
    desk.drain()
    (found,) = desk.reminders(needs_staff=True)
    assert state(found) == "sent"
    assert [each["what"] for each in items.waiting(desk.house, desk.now)] == ["correction"]


def test_evidence_for_somebody_who_was_erased_says_no_more_than_that(desk: Desk) -> None:
    leaves(desk, InDoubt("no answer"))
    with desk.outbox.transaction():
        desk.outbox.erase(desk.outbox.patients()[0], desk.now)
    tells(desk, "undelivered", by=token(desk), code="30005", meaning=Outcome.WRONG_ADDRESS)
    desk.drain()
    assert (state(desk.the()), desk.email.asked) == ("sent", 0)
    assert desk.outbox.patients()[0].bad_addresses == frozenset()


def test_of_a_message_that_is_being_handed_over_the_answer_comes_first(desk: Desk) -> None:
    desk.sms.script(lambda _: tells(desk, "sent", by=token(desk)) and None)
    desk.treat(desk.patient(), MORNING)
    desk.drain(DUE)
    (attempt,) = desk.outbox.attempts(1)
    assert attempt.provider_id == accepted_sid(desk) != SID
    assert desk.the().receipt is None


def test_a_callback_that_names_another_message_changes_nothing_and_is_told(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    leaves(desk)
    before = desk.the()
    tells(desk, "failed", sid=OTHER, by=token(desk))
    with caplog.at_level(logging.ERROR):
        desk.drain()
    assert desk.the() == before
    assert f"msg-1: is {OTHER} to the provider, was {before.provider_id}" in caplog.text
    (item,) = items.waiting(desk.house, desk.now)
    assert (item["what"], item["id"], item["reminders"]) == ("message", "msg-1", ["rem-1"])
    assert items.waiting(desk.house, desk.now + timedelta(days=8)) == []


def test_nobody_is_asked_about_what_was_told_meanwhile(desk: Desk) -> None:
    leaves(desk, InDoubt("no answer"))
    tells(desk, by=token(desk))
    desk.drain(DUE + 30 * SECOND)
    assert (state(desk.the()), getattr(desk.sms, "looks", None)) == ("sent", 0)


# The inbox ----------------------------------------------------------------------------------------


def test_what_is_about_no_attempt_of_ours_is_not_kept(desk: Desk) -> None:
    leaves(desk)
    sid = accepted_sid(desk)
    assert not tells(desk, by="nobody-knows-it", sid=sid)
    assert not tells(desk, sid=OTHER)
    assert tells(desk, sid=sid)
    assert desk.outbox.query("SELECT count(*) FROM callbacks") == [(1,)]


def test_each_message_and_receipt_is_kept_once(desk: Desk) -> None:
    leaves(desk)
    for receipt in ("sent", "sent", "delivered", "sent"):
        assert tells(desk, receipt, by=token(desk), sid=accepted_sid(desk))
    rows = desk.outbox.query("SELECT receipt FROM callbacks ORDER BY id")
    assert rows == [("sent",), ("delivered",)]


def test_what_is_kept_outlives_the_process_and_is_applied_by_the_next_one(desk: Desk) -> None:
    leaves(desk, InDoubt("no answer"))
    tells(desk, by=token(desk))
    with desk.outbox.transaction():
        desk.outbox.recover(desk.now)
    assert desk.outbox.waiting_callbacks(None, 9) == [1]
    desk.drain()
    assert desk.outbox.waiting_callbacks(None, 9) == []
    assert state(desk.the()) == "sent"


def test_one_transport_leaves_alone_what_is_about_anothers_messages(desk: Desk) -> None:
    leaves(desk)
    tells(desk, by=token(desk))
    assert desk.outbox.waiting_callbacks(["file"], 9) == []
    assert desk.outbox.waiting_callbacks(["console"], 9) == [1]


# Receipts -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "becomes"),
    [
        ("queued", "queued"),
        ("queued sent delivered", "delivered"),
        ("delivered sent queued", "delivered"),
        ("sent queued undelivered delivered", "undelivered"),
        ("delivered failed", "delivered"),
        ("failed sent", "failed"),
    ],
)
def test_a_receipt_rises_and_never_falls(desk: Desk, told: str, becomes: str) -> None:
    leaves(desk)
    for each in told.split():
        tells(desk, each, sid=accepted_sid(desk))
        desk.drain()
    assert (state(desk.the()), desk.the().receipt) == ("sent", becomes)
    waits = becomes in ("undelivered", "failed")
    assert len(desk.reminders(needs_staff=True)) == waits


# Another channel ----------------------------------------------------------------------------------


def test_where_nobody_is_there_the_address_is_marked_and_the_mail_takes_over(desk: Desk) -> None:
    leaves(desk)
    nobody_there(desk)
    desk.drain()
    found = desk.the()
    assert (state(found), found.channel, found.receipt) == ("sent", Channel.EMAIL, None)
    assert (desk.sms.asked, desk.email.asked) == (1, 1)
    assert desk.outbox.patients()[0].bad_addresses == {Channel.SMS}
    assert [each.entry.action for each in desk.outbox.trail(1)][-1] == "address-marked"
    assert desk.reminders(needs_staff=True) == []


def test_nothing_is_wrong_with_a_database_in_which_the_mail_took_over(desk: Desk) -> None:
    leaves(desk)
    nobody_there(desk)
    desk.drain()
    levels = {each.level for each in examine(desk.outbox.path)}
    assert levels == {"fine"}


def test_what_is_told_of_the_first_message_afterwards_is_nothing_to_the_second(desk: Desk) -> None:
    leaves(desk)
    sid = accepted_sid(desk)
    nobody_there(desk)
    desk.drain()
    tells(desk, "failed", sid=sid, code="30005", meaning=Outcome.WRONG_ADDRESS)
    desk.drain()
    assert (desk.the().receipt, desk.email.asked) == (None, 1)


def test_who_said_stop_to_the_provider_gets_mail_from_now_on(desk: Desk) -> None:
    leaves(desk)
    tells(desk, "failed", sid=accepted_sid(desk), code="21610", meaning=Outcome.OPTED_OUT)
    desk.drain()
    assert (state(desk.the()), desk.the().channel) == ("sent", Channel.EMAIL)
    assert not desk.outbox.patients()[0].consents(Channel.SMS)


def test_a_message_that_may_have_been_lost_on_its_way_is_not_sent_again(desk: Desk) -> None:
    leaves(desk)
    tells(desk, "undelivered", sid=accepted_sid(desk), code="30003")
    desk.drain()
    assert (state(desk.the()), desk.the().receipt, desk.email.asked) == ("sent", "undelivered", 0)
    assert len(desk.reminders(needs_staff=True)) == 1


@pytest.mark.parametrize("facts", [{"channels": "sms"}, {"consent": "sms"}, {"email": None}])
def test_without_another_channel_it_stays_sent_and_a_person_sees_it(
    desk: Desk, facts: dict[str, str]
) -> None:
    leaves(desk, **facts)
    nobody_there(desk)
    desk.drain()
    assert (state(desk.the()), desk.the().receipt) == ("sent", "undelivered")
    assert desk.outbox.patients()[0].bad_addresses == {Channel.SMS}
    assert len(desk.reminders(needs_staff=True)) == 1


def test_after_its_expiry_it_is_not_sent_again(desk: Desk) -> None:
    leaves(desk)
    desk.clock.move(timedelta(days=1))
    nobody_there(desk)
    desk.drain()
    assert (state(desk.the()), desk.the().receipt, desk.email.asked) == ("sent", "undelivered", 0)


def test_in_the_night_the_other_channel_waits_for_the_morning(desk: Desk) -> None:
    desk.protocol(rule("note", after="1h", expires="2d"))
    leaves(desk)
    desk.clock.move_to(at("2026-03-10 23:00"))
    nobody_there(desk)
    desk.drain()
    assert (state(desk.the()), desk.email.asked) == ("scheduled", 0)
    desk.drain(at("2026-03-11 08:00"))
    assert desk.email.asked == 1


def test_a_number_that_was_corrected_meanwhile_is_not_marked(desk: Desk) -> None:
    leaves(desk)
    desk.intake.edit_patient("pat-1", lambda old: replace(old, phone="+34600000009"), desk.now)
    nobody_there(desk)
    desk.drain()
    assert desk.outbox.patients()[0].bad_addresses == frozenset()
    assert (desk.the().receipt, desk.email.asked) == ("undelivered", 0)


def test_everything_that_the_message_carried_goes_over(desk: Desk) -> None:
    desk.protocol(NOTE, rule("more", after="1h"), rule("later", after="9h"))
    leaves(desk)
    nobody_there(desk)
    desk.drain()
    assert desk.states() == {"note": "sent", "more": "sent", "later": "scheduled"}
    assert {each.channel for each in desk.reminders()} == {Channel.EMAIL}
    assert (desk.sms.asked, desk.email.asked) == (1, 1)
