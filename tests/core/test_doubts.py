"""What may or may not have been accepted: evidence is looked for, and nothing is sent twice."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reminderd.errors import InDoubt, Refused, Temporary, TransportError
from reminderd.interfaces import Callback, Settlement
from reminderd.model import Channel, Message, Outcome, Receipt, Resolution, State
from tests.core.build import at, state
from tests.core.desk import NOTE, Desk, Post, rule

MORNING = "2026-03-10 09:00"
DUE = at("2026-03-10 10:00")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


class Listed(Post):
    """A provider with a list of what it has accepted; `looks` are when it was asked."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.listed: list[str | Callback] = []
        self.looks: list[datetime] = []
        self.asked_for: tuple[str, str, datetime] | None = None
        self.down: Exception | None = None
        self._desk = desk

    def find(self, to: str, text: str, since: datetime) -> list[Callback]:
        self.looks.append(self._desk.now)
        self.asked_for = (to, text, since)
        if self.down is not None:
            raise self.down
        return [
            Callback(None, each, Receipt.QUEUED) if isinstance(each, str) else each
            for each in self.listed
        ]


class Letterbox(Post):
    """By which the same letter twice is recognised as one."""

    def __init__(self) -> None:
        super().__init__()
        self.copies: list[Message] = []

    def send(self, message: Message) -> str:
        self.copies.append(message)
        return super().send(message)

    def send_again(self, message: Message) -> str:
        return self.send(message)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, at("2026-03-10 08:00"))
    desk.protocol(NOTE)
    yield desk
    desk.close()


def by_text(desk: Desk) -> Listed:
    """Vera's text leaves at 10:00, and no answer comes."""
    post = desk.sms = Listed(desk)
    desk.treat(desk.patient(), MORNING)
    post.script(InDoubt("no answer in time"))
    desk.drain(DUE)
    return post


def by_mail(desk: Desk, *steps: Exception, channels: str = "email") -> Letterbox:
    """Vera's mail leaves at 10:00, and what the server says to the dot cannot be read."""
    post = desk.email = Letterbox()
    desk.treat(desk.patient(channels=channels), MORNING)
    post.script(InDoubt("no reply to the dot"), *steps)
    desk.drain(DUE)
    return post


def looks_until(desk: Desk, until: datetime) -> list[timedelta]:
    """Let time pass from wake-up to wake-up; how long after the attempt each was."""
    instants = []
    while (wake_at := desk.dispatch().next_wake_at(desk.now)) and wake_at <= until:
        desk.drain(wake_at)
        instants.append(wake_at - DUE)
    return instants


# By the provider's list ---------------------------------------------------------------------------


def test_it_is_being_sent_until_the_list_has_it_and_then_sent_as_it_left(desk: Desk) -> None:
    post = by_text(desk)
    assert state(desk.the()) == "sending"
    assert desk.dispatch().next_wake_at(desk.now) == DUE + 30 * SECOND
    post.listed = ["SM1"]
    desk.drain(DUE + 30 * SECOND)
    found = desk.the()
    assert (state(found), found.sent_at, found.provider_id) == ("sent", DUE, "SM1")
    assert post.asked_for == ("+34600000001", "note for Vera", DUE - MINUTE)
    assert post.asked == 1
    assert desk.dispatch().next_wake_at(desk.now) is None


def test_where_the_list_says_that_nobody_was_there_the_mail_takes_over_at_once(desk: Desk) -> None:
    post = by_text(desk)
    post.listed = [Callback(None, "SM1", Receipt.UNDELIVERED, "30005", Outcome.WRONG_ADDRESS)]
    desk.drain(DUE + 30 * SECOND)
    assert desk.outbox.patients()[0].bad_addresses == {Channel.SMS}
    desk.drain()
    assert (state(desk.the()), desk.the().channel, desk.email.asked) == ("sent", Channel.EMAIL, 1)


def test_where_the_list_says_that_it_did_not_arrive_a_person_sees_it(desk: Desk) -> None:
    post = by_text(desk)
    post.listed = [Callback(None, "SM1", Receipt.FAILED, "30003")]
    desk.drain(DUE + 30 * SECOND)
    assert (state(desk.the()), desk.the().receipt) == ("sent", "failed")
    assert len(desk.reminders(needs_staff=True)) == 1
    assert (post.asked, desk.email.asked) == (1, 0)


def test_it_is_looked_for_four_times_and_then_a_person_has_to_say(desk: Desk) -> None:
    post = by_text(desk)
    looks = looks_until(desk, DUE + timedelta(hours=5))
    assert looks == [30 * SECOND, 2 * MINUTE, 10 * MINUTE, 60 * MINUTE]
    assert [each - DUE for each in post.looks] == looks
    assert (state(desk.the()), post.asked) == ("unknown", 1)
    assert len(desk.reminders(needs_staff=True)) == 1


def test_what_the_provider_calls_by_an_id_that_we_know_is_another_message(desk: Desk) -> None:
    post = by_text(desk)
    attempt_id = desk.outbox.attempts(desk.the().id or 0)[0]
    assert attempt_id.outcome is Outcome.IN_DOUBT
    paco = desk.patient("Paco", phone="+34600000002")
    desk.book(paco, MORNING)
    desk.drain(DUE + 10 * SECOND)
    (known,) = [each.provider_id for each in desk.reminders() if each.patient_id == paco.id]
    assert known is not None
    post.listed = [known]
    desk.drain(DUE + 30 * SECOND)
    assert "sending" in [state(each) for each in desk.reminders()]
    post.listed = [known, "SM2"]
    desk.drain(DUE + 2 * MINUTE)
    assert {each.provider_id for each in desk.reminders()} == {known, "SM2"}


@pytest.mark.parametrize("error", [Temporary("not reached"), ValueError("a stranger's error")])
def test_a_provider_that_cannot_be_asked_is_asked_again(desk: Desk, error: Exception) -> None:
    post = by_text(desk)
    post.down = error
    desk.drain(DUE + 30 * SECOND)
    assert state(desk.the()) == "sending"
    post.down, post.listed = None, ["SM1"]
    desk.drain(DUE + 2 * MINUTE)
    assert state(desk.the()) == "sent"


def test_what_is_in_doubt_does_not_expire(desk: Desk) -> None:
    desk.protocol(rule("note", after="1h", expires="5m"))
    post = by_text(desk)
    desk.drain(DUE + 10 * MINUTE)
    assert state(desk.the()) == "sending"
    post.listed = ["SM1"]
    desk.drain(DUE + 60 * MINUTE)
    assert state(desk.the()) == "sent"


def test_after_a_crash_what_was_marked_is_looked_for_and_a_late_look_stands_for_those_missed(
    desk: Desk,
) -> None:
    post = by_text(desk)
    desk.drain(DUE + 11 * MINUTE)
    assert len(post.looks) == 1
    assert desk.dispatch().next_wake_at(desk.now) == DUE + 60 * MINUTE


def test_a_plan_made_meanwhile_changes_nothing(desk: Desk) -> None:
    by_text(desk)
    before = desk.the()
    desk.intake.plan_all_again(DUE + 5 * SECOND)
    desk.intake.move_session("ses-1", at("2026-03-10 08:30"), DUE + 6 * SECOND)
    assert desk.the() == before


def test_by_a_transport_that_has_no_list_only_a_person_can_say(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(InDoubt("no answer"))
    desk.drain(DUE)
    assert state(desk.the()) == "unknown"


# By the very same message -------------------------------------------------------------------------


def test_a_mail_is_sent_again_as_the_very_same_and_then_it_is_sent(desk: Desk) -> None:
    post = by_mail(desk)
    desk.drain(DUE + 30 * SECOND)
    first, second = post.copies
    assert replace(second, valid_for=first.valid_for) == first
    found = desk.the()
    assert (state(found), found.sent_at, found.attempts) == ("sent", DUE, 1)


def test_a_mail_is_sent_again_three_times_at_most(desk: Desk) -> None:
    post = by_mail(desk, *[InDoubt("again")] * 9)
    looks = looks_until(desk, DUE + timedelta(hours=3))
    assert looks == [30 * SECOND, 2 * MINUTE, 10 * MINUTE, 60 * MINUTE]
    assert len(post.copies) == 4
    assert len({replace(each, valid_for=MINUTE) for each in post.copies}) == 1
    assert state(desk.the()) == "unknown"


@pytest.mark.parametrize("error", [Temporary("450"), TransportError("554"), ValueError()])
def test_whatever_a_copy_is_answered_with_the_first_one_stays_in_doubt(
    desk: Desk, error: Exception
) -> None:
    by_mail(desk, error)
    desk.drain(DUE + 30 * SECOND)
    assert state(desk.the()) == "sending"


def test_the_same_name_and_calendar_are_in_the_copy_whatever_was_edited_since(desk: Desk) -> None:
    desk.protocol(rule("note", after="0m", quiet="ignore"))
    post = desk.email = Letterbox()
    desk.treat(desk.patient(channels="email"), "2026-03-10 10:00")
    post.script(InDoubt("no reply to the dot"))
    desk.drain(DUE)
    desk.intake.edit_patient("pat-1", lambda old: replace(old, given_name="Veronica"), desk.now)
    desk.drain(DUE + 30 * SECOND)
    first, second = post.copies
    assert second.calendar == first.calendar
    assert (second.recipient_name, second.text) == (first.recipient_name, first.text)


def withdraws(desk: Desk) -> None:
    desk.intake.record_consent(
        "pat-1", [Channel.EMAIL], granted=False, source="phone", now=desk.now
    )


def moves(desk: Desk) -> None:
    desk.intake.edit_patient("pat-1", lambda old: replace(old, email="new@example.org"), desk.now)


def pauses(desk: Desk) -> None:
    desk.intake.pause("pat-1", desk.now, paused=True)


def goes_east(desk: Desk) -> None:  # where it is night
    desk.intake.edit_patient("pat-1", lambda old: replace(old, timezone="Asia/Tokyo"), desk.now)
    desk.clock.move_to(DUE + timedelta(hours=3))


@pytest.mark.parametrize("happens", [withdraws, moves, pauses])
def test_no_copy_leaves_where_the_message_itself_might_not(
    desk: Desk, happens: Callable[[Desk], None]
) -> None:
    post = by_mail(desk)
    happens(desk)
    looks_until(desk, DUE + timedelta(hours=3))
    assert len(post.copies) == 1
    assert state(desk.the()) == "unknown"


def test_no_copy_leaves_in_the_night_or_when_it_is_too_late(desk: Desk) -> None:
    post = by_mail(desk)
    goes_east(desk)
    desk.drain()
    assert len(post.copies) == 1
    assert state(desk.the()) == "unknown"


def test_no_copy_leaves_after_the_expiry(desk: Desk) -> None:
    desk.protocol(rule("note", after="1h", expires="1m"))
    post = by_mail(desk, InDoubt("again"))
    looks_until(desk, DUE + timedelta(hours=3))
    assert len(post.copies) == 2  # the one half a minute later was in time
    assert state(desk.the()) == "unknown"


def test_a_crash_between_two_copies_never_makes_one_more(desk: Desk) -> None:
    post = by_mail(desk, *[InDoubt("again")] * 9)
    desk.drain(DUE + 30 * SECOND)
    with desk.outbox.transaction():
        assert desk.outbox.recover(desk.now) == ([], 0)
    looks_until(desk, DUE + timedelta(hours=3))
    assert len(post.copies) == 4


# A person says ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resolution", "becomes", "asked"),
    [
        (Resolution.SENT, "sent", 1),
        (Resolution.DROP, "cancelled/by-staff", 1),
        (Resolution.RESEND, "sent", 2),
    ],
)
def test_a_person_says_what_became_of_it(
    desk: Desk, resolution: Resolution, becomes: str, asked: int
) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(InDoubt("no answer"))
    desk.drain(DUE)
    name = f"rem-{desk.the().id}"
    desk.intake.resolve_reminder(name, resolution, "Ana", DUE + MINUTE)
    desk.drain(DUE + MINUTE)
    assert (state(desk.the()), desk.sms.asked) == (becomes, asked)
    assert "Ana resolved it" in (desk.outbox.attempts(desk.the().id or 0)[0].error or "")
    with pytest.raises(Refused, match="nothing about it is in doubt"):
        desk.intake.resolve_reminder(name, resolution, "Ana", DUE + 2 * MINUTE)


def test_a_word_counts_for_everything_that_the_message_carried(desk: Desk) -> None:
    desk.protocol(NOTE, rule("more", after="1h"))
    by_text(desk)
    desk.intake.resolve_reminder("rem-1", Resolution.SENT, "Ana", desk.now)
    assert set(desk.states().values()) == {"sent"}
    looks_until(desk, DUE + timedelta(hours=2))
    assert set(desk.states().values()) == {"sent"}


def test_what_has_expired_is_not_sent_again_whoever_asks(desk: Desk) -> None:
    by_text(desk)
    with pytest.raises(Refused, match="expired"):
        desk.intake.resolve_reminder("rem-1", Resolution.RESEND, "Ana", DUE + timedelta(days=2))
    assert state(desk.the()) == "sending"


def test_nothing_is_sent_again_while_evidence_is_still_looked_for(desk: Desk) -> None:
    by_text(desk)
    with pytest.raises(Refused) as refused:
        desk.intake.resolve_reminder("rem-1", Resolution.RESEND, "Ana", DUE + MINUTE)
    assert refused.value.message == (
        "rem-1 may have been accepted: evidence is looked for as soon as the daemon runs"
    )
    desk.drain(DUE + MINUTE)
    with pytest.raises(Refused, match="next at 10:02:00; without any it is unknown at 11:00"):
        desk.intake.resolve_reminder("rem-1", Resolution.RESEND, "Ana", desk.now)
    assert state(desk.the()) == "sending"


@pytest.mark.parametrize("resolution", [Resolution.SENT, Resolution.DROP])
def test_who_knows_better_may_say_so_at_once(desk: Desk, resolution: Resolution) -> None:
    by_text(desk)
    desk.intake.resolve_reminder("rem-1", resolution, "Ana", DUE + 5 * SECOND)
    looks_until(desk, DUE + timedelta(hours=2))
    assert state(desk.the()) != "unknown"


def test_a_word_about_the_second_message_says_nothing_of_the_first(desk: Desk) -> None:
    by_text(desk)
    desk.later(hours=1)
    desk.sms.script(InDoubt("again no answer"))
    desk.intake.resolve_reminder("rem-1", Resolution.RESEND, "Ana", desk.now)
    desk.drain()
    desk.later(hours=1)
    desk.intake.resolve_reminder("rem-1", Resolution.SENT, "Ana", desk.now)
    assert [each.outcome for each in desk.outbox.attempts(1)] == ["in-doubt", "accepted"]


def test_what_was_never_in_doubt_cannot_be_resolved(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    with pytest.raises(Refused, match="is scheduled"):
        desk.intake.resolve_reminder("rem-1", Resolution.SENT, "Ana", desk.now)


def test_a_settled_attempt_is_looked_for_no_more(desk: Desk) -> None:
    by_text(desk)
    (attempt,) = desk.outbox.doubts_of(desk.the().id or 0)
    sent = tuple(each._replace(state=State.SENT) for each in attempt.reminders)
    with desk.outbox.transaction():
        desk.outbox.settle([Settlement(attempt.attempt_id, Outcome.ACCEPTED, sent)], desk.now)
    assert desk.dispatch().next_wake_at(desk.now) is None
