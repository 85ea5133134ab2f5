"""What the provider has told nobody is asked for: the real client, a local server, no gap."""

import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reminderd.polling import EVERY, OVERLAP, Polling, asking
from reminderd.resting import resting
from reminderd.staff import answers
from reminderd.staff.alarms import alarms
from reminderd.staff.items import waiting
from reminderd.transports.twilio import Twilio, TwilioSettings
from reminderd.wording import answered
from tests.core.answered import RED_FLAG, writes
from tests.core.answered import state as state_of_answer
from tests.core.build import at
from tests.core.desk import NOTE, Desk, state
from tests.fakes.twilio_server import Reply, TwilioServer, error, rate_limited, reset
from tests.waiting import until

MINUTE = timedelta(minutes=1)


class Asker:
    """A desk whose texts leave by the real client, and who asks what became of them."""

    def __init__(self, folder: Path, server: TwilioServer) -> None:
        self.desk = Desk(folder, at("2026-03-10 08:00"))
        self.desk.protocol(NOTE)
        self.server = server
        server.now = lambda: self.desk.now
        self.twilio = Twilio(TwilioSettings.model_validate(server.settings(timeout="5s")))
        self.desk.sms = self.twilio  # type: ignore[assignment]
        self.polling = self.new()

    def new(self) -> Polling:
        """As after a start."""
        return Polling(self.desk.outbox, "console", self.twilio, EVERY)

    def ask(self, **later: float) -> timedelta:
        """Ask after that time; returns how long the pause is until the next look."""
        self.desk.clock.move(timedelta(**later))
        return self.polling.poll(self.desk.now) - self.desk.now

    def leaves(self, **facts: Any) -> None:
        """Vera's text leaves at 10:00."""
        self.desk.treat(self.desk.patient(**facts), "2026-03-10 09:00")
        self.desk.drain("2026-03-10 10:00")

    def words(self) -> list[str]:
        return [each.reply.text for each in reversed(self.desk.outbox.replies())]

    def lists(self) -> list[dict[str, str]]:
        """What was asked of the list, in order."""
        return [
            each.query
            for each in self.server.requests
            if each.method == "GET" and each.path.endswith("/Messages.json")
        ]


@pytest.fixture
def asker(tmp_path: Path) -> Iterator[Asker]:
    with TwilioServer() as server:
        asker = Asker(tmp_path, server)
        yield asker
        asker.twilio.close()
        asker.desk.close()


# Receipts -----------------------------------------------------------------------------------------


def test_what_became_of_a_message_is_known_without_being_called(asker: Asker) -> None:
    asker.leaves()
    for status, receipt in (("sent", "sent"), ("delivered", "delivered")):
        asker.server.becomes(status)
        assert asker.ask(minutes=1) == MINUTE
        asker.desk.drain()
        assert (state(asker.desk.the()), asker.desk.the().receipt) == ("sent", receipt)


def test_where_nobody_is_at_the_number_the_mail_takes_over(asker: Asker) -> None:
    asker.leaves()
    asker.server.becomes("undelivered", 30005)
    asker.ask(minutes=1)
    asker.desk.drain()
    assert (state(asker.desk.the()), asker.desk.the().channel) == ("sent", "email")


def test_once_no_more_can_be_told_it_is_not_asked_for_any_more(asker: Asker) -> None:
    asker.leaves()
    asker.server.becomes("delivered")
    asker.ask(minutes=1)
    asker.desk.clock.move(timedelta(days=2))
    asker.server.hears("Thanks")
    asker.ask()
    asker.ask(minutes=1)
    assert (
        asker.lists()[-1]["DateSent>"] == f"{asker.desk.now - MINUTE - OVERLAP:%Y-%m-%dT%H:%M:%SZ}"
    )


def test_what_is_not_known_after_three_days_is_not_asked_for_any_more(asker: Asker) -> None:
    asker.leaves()
    asker.ask(days=3, minutes=1)
    asker.server.becomes("delivered")
    asker.ask(minutes=1)
    asker.desk.drain()
    assert asker.desk.the().receipt is None


def test_a_message_that_the_list_leaves_out_is_asked_for_by_itself(asker: Asker) -> None:
    asker.leaves()
    asker.server.becomes("failed", 30008)
    asker.server.lists = lambda each: False
    assert asker.ask(minutes=1) == MINUTE
    asker.desk.drain()
    assert asker.desk.the().receipt == "failed"


def test_of_messages_that_others_sent_by_the_account_nothing_is_kept(asker: Asker) -> None:
    asker.server.accept({"To": "+34600000008", "Body": "another system's"})
    asker.server.becomes("delivered")
    asker.ask(minutes=1)
    assert asker.desk.outbox.query("SELECT count(*) FROM callbacks") == [(0,)]


# Automatic answers --------------------------------------------------------------------------------


@pytest.fixture
def flagged(asker: Asker) -> Asker:
    """Vera has written that she cannot breathe."""
    asker.desk.patient()
    asker.ask()
    writes(asker.desk, RED_FLAG)
    return asker


def test_that_an_answer_did_not_arrive_is_known_without_being_called(flagged: Asker) -> None:
    flagged.desk.drain()
    flagged.server.becomes("undelivered", 30003)
    flagged.ask(minutes=1)
    (item,) = answers.items(flagged.desk.house)
    assert item["why"] == "the automatic answer to rep-1: did not arrive (30003)"
    assert item["do"] == "call them, then: reminderd inbox done rep-1"


@pytest.mark.parametrize(("status", "said"), [("sent", "sent"), ("delivered", "delivered")])
def test_an_answer_in_doubt_is_found_in_the_list_and_staff_need_not_call(
    flagged: Asker, status: str, said: str
) -> None:
    flagged.server.script(reset(accept=True))
    flagged.desk.drain()
    assert len(list(answers.items(flagged.desk.house))) == 1
    flagged.server.becomes(status)
    flagged.ask(minutes=1)
    found = flagged.desk.outbox.answer_to(1)
    assert found is not None
    assert (found.state, found.provider_id) == ("sent", flagged.server.messages[0]["sid"])
    assert answered(found) == said
    assert list(answers.items(flagged.desk.house)) == []
    assert len(flagged.server.sends) == 1


def test_an_answer_that_never_left_stays_in_doubt(flagged: Asker) -> None:
    flagged.server.script(reset())
    flagged.desk.drain()
    for _ in range(3):
        assert flagged.ask(minutes=1) == MINUTE
    assert state_of_answer(flagged.desk) == "unknown"


# Replies ------------------------------------------------------------------------------------------


def test_a_reply_is_heard_within_a_minute_and_once(asker: Asker) -> None:
    asker.ask()
    asker.server.hears("It burns")
    for _ in range(3):
        assert asker.ask(minutes=1) == MINUTE
    assert asker.words() == ["It burns"]


def test_what_was_written_while_nobody_ran_is_not_lost(asker: Asker) -> None:
    asker.ask()
    asker.desk.clock.move(timedelta(days=1))
    asker.server.hears("STOP")
    asker.desk.clock.move(timedelta(days=9))
    asker.polling = asker.new()
    asker.ask()
    assert asker.words() == ["STOP"]
    (found,) = asker.desk.outbox.replies()
    assert found.said_at == found.received_at - timedelta(days=9)


def test_what_was_written_before_it_was_ever_asked_is_somebody_elses_business(asker: Asker) -> None:
    asker.server.hears("an old story")
    asker.ask(days=1)
    assert asker.words() == []


def test_a_list_that_lags_a_few_minutes_loses_nothing(asker: Asker) -> None:
    asker.ask()
    asker.server.hears("late in the list")
    asker.server.lists = lambda each: each["body"] != "late in the list"
    asker.desk.clock.move(8 * MINUTE)
    asker.server.hears("listed at once")
    asker.ask()
    asker.server.lists = lambda each: True
    asker.ask(minutes=1)
    assert sorted(asker.words()) == ["late in the list", "listed at once"]


def test_our_own_clock_may_be_wrong(asker: Asker) -> None:
    asker.ask()
    theirs = asker.desk.now
    asker.server.now = lambda: theirs
    asker.ask(days=2)
    theirs += timedelta(hours=1)
    asker.server.hears("said in between")
    asker.ask(days=2)
    assert asker.words() == ["said in between"]


def test_many_pages_are_read_to_the_end(asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reminderd.transports.twilio._PAGE", 3)
    asker.ask()
    for number in range(10):
        asker.server.hears(f"{number}")
    asker.ask(minutes=1)
    assert sorted(asker.words()) == sorted(map(str, range(10)))
    assert len(asker.lists()) == 1 + 4


def test_a_reply_that_was_called_in_is_not_heard_twice(asker: Asker) -> None:
    asker.ask()
    sid = asker.server.hears("Hello")
    (record,) = asker.twilio.news(asker.desk.now - MINUTE)
    assert record.told.provider_id == sid
    with asker.desk.outbox.transaction():
        asker.desk.outbox.keep_reply("console", record.told, asker.desk.now)  # type: ignore[arg-type]
    asker.ask(minutes=1)
    assert asker.words() == ["Hello"]


def test_what_came_to_another_number_of_the_account_is_left_alone(asker: Asker) -> None:
    asker.ask()
    asker.server.hears("for the shop", to="+34600000077")
    asker.server.hears("with a picture", body=None, num_media="1")
    asker.ask(minutes=1)
    (found,) = asker.desk.outbox.replies()
    assert (found.reply.text, found.reply.media) == ("", 1)


# Trouble ------------------------------------------------------------------------------------------


def test_a_provider_that_is_out_of_reach_is_asked_less_and_less_often_and_nothing_is_lost(
    asker: Asker, caplog: pytest.LogCaptureFixture
) -> None:
    asker.ask()
    asker.server.script_list(*[error(20500, 500)] * 4)
    pauses = [asker.ask(minutes=1) for _ in range(4)]
    assert pauses == [MINUTE, MINUTE, 2 * MINUTE, 4 * MINUTE]
    asker.server.hears("said meanwhile")
    assert asker.ask(minutes=1) == MINUTE
    assert asker.words() == ["said meanwhile"]
    said = [each.getMessage() for each in caplog.records if each.name == "reminderd.polling"]
    assert [each.split(":")[0] for each in said] == [
        "console does not tell what came in; it is asked again",
        "console tells again what came in",
    ]


def test_who_is_refused_is_told_to_the_staff_although_nothing_has_to_leave(asker: Asker) -> None:
    asker.ask()
    asker.server.script_list(*[error(20003, 401)] * 2)
    pause = asker.ask(minutes=1)
    (found,) = resting(asker.desk.outbox, ["console"], asker.desk.now)
    assert (found.needs_staff, found.until - asker.desk.now) == (True, pause)
    assert "20003" in found.why
    asker.ask(minutes=1)
    assert resting(asker.desk.outbox, ["console"], asker.desk.now)
    assert asker.ask(minutes=1) == MINUTE
    assert not resting(asker.desk.outbox, ["console"], asker.desk.now)


def test_one_that_is_out_of_reach_rests_from_nothing(asker: Asker) -> None:
    asker.server.script_list(error(20500, 500))
    asker.ask()
    assert not resting(asker.desk.outbox, ["console"], asker.desk.now)


def silent(asker: Asker) -> list[tuple[Any, ...]]:
    """What staff are told of it, on their list and by alert."""
    house, now = asker.desk.house, asker.desk.now
    listed = [(each["what"], each["id"], each["why"]) for each in waiting(house, now)]
    told = [(each.words.what, each.since) for each in alarms(house, timedelta(minutes=15), now)]
    assert len(listed) == len(told)
    return [*listed, *told]


@pytest.mark.parametrize("trouble", [error(20500, 503), reset()], ids=["503", "network"])
def test_one_that_does_not_tell_for_ten_minutes_is_told_to_the_staff_until_it_does(
    asker: Asker, trouble: Any
) -> None:
    began = asker.desk.now
    asker.server.script_list(*[trouble] * 3)
    for minutes in (0, 1, 8):
        asker.ask(minutes=minutes)
        assert silent(asker) == []
    asker.desk.clock.move(timedelta(minutes=1))
    (what, name, why), alarm = silent(asker)
    assert (what, name, alarm) == ("silence", "console", ("silence", began))
    assert why.startswith("what patients write is not heard since 2026-03-10 08:00: ")
    asker.polling = asker.new()
    asker.ask()
    assert silent(asker) == []


def test_how_long_it_does_not_tell_is_counted_through_a_restart(asker: Asker) -> None:
    asker.server.script_list(*[error(20500, 503)] * 2)
    asker.ask()
    asker.polling = asker.new()
    asker.ask(minutes=10)
    assert silent(asker) != []
    asker.ask(minutes=1)
    assert silent(asker) == []


def test_from_when_a_clock_was_wrong_it_is_counted_anew(asker: Asker) -> None:
    asker.server.script_list(*[error(20500, 503)] * 2)
    asker.polling.poll(asker.desk.now + timedelta(days=300))
    asker.ask()
    asker.desk.clock.move(timedelta(minutes=10))
    assert silent(asker) != []


def test_the_pause_is_as_long_as_the_provider_wishes(asker: Asker) -> None:
    asker.server.script_list(rate_limited("600"))
    assert asker.ask() == 10 * MINUTE


@pytest.mark.parametrize(
    "page",
    ["<html>", '{"messages": [{"sid": 5}], "page": 0}', '{"nothing": []}'],
    ids=["a portal", "half a record", "another form"],
)
def test_a_list_that_cannot_be_read_says_nothing(
    asker: Asker, page: str, caplog: pytest.LogCaptureFixture
) -> None:
    asker.server.script_list(Reply(200, page))
    with caplog.at_level(logging.WARNING):
        assert asker.ask() >= MINUTE
    assert "Traceback" not in caplog.text
    asker.server.hears("Hello")
    asker.ask(minutes=1)
    assert asker.words() == ["Hello"]


# Now and then -------------------------------------------------------------------------------------


def test_a_call_that_may_have_been_missed_is_asked_for_at_once(
    asker: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reminderd.polling.SOON_SECONDS", 0.01)
    outbox, clock = asker.desk.outbox, asker.desk.clock
    with asking(outbox, [asker.polling], clock, lambda: True) as missed:
        until(lambda: len(asker.lists()) == 1, "the first look")
        asker.server.hears("STOP")
        missed()
        until(asker.words, "the words")
    assert asker.words() == ["STOP"]


def test_while_the_clock_cannot_be_right_nobody_is_asked(asker: Asker) -> None:
    asked = threading.Event()

    def time_is_right() -> bool:
        asked.set()
        return False

    with asking(asker.desk.outbox, [asker.polling], asker.desk.clock, time_is_right):
        assert asked.wait(10)
    assert asker.lists() == []
