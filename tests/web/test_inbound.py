"""What patients write, over real HTTP: each message is on disk once before it is acknowledged."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from reminderd.web import inbox
from tests.core.build import at
from tests.core.desk import Desk
from tests.fakes import twilio_calls
from tests.fakes.twilio_calls import ask, inbound
from tests.web.line import HOOKS, OTHER_SID, SID, Line, locked, open_line


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, at("2026-03-10 08:00"))
    yield desk
    desk.close()


def test_a_reply_is_kept_before_it_is_acknowledged_and_the_provider_need_not_answer_it(
    line: Line,
) -> None:
    answer = line.writes("It burns a little")
    assert (answer.status, answer.body) == (200, b"<Response/>")
    assert answer.headers["content-type"].startswith("text/xml")
    assert line.replies() == [(SID, "+34600000001", "It burns a little")]


def test_a_message_counts_once_however_often_it_is_told(line: Line) -> None:
    assert [line.writes("Hello").status for _ in range(3)] == [200] * 3
    assert line.writes("Other words, the same message").status == 200
    assert line.writes("Hello", OTHER_SID).status == 200
    assert [each[2] for each in line.replies()] == ["Hello", "Hello"]


@pytest.mark.parametrize(
    ("form", "sender", "text", "media"),
    [
        ({"text": ""}, "+34600000001", "", 0),
        ({"text": "", "NumMedia": "2", "MediaUrl0": "https://x.example"}, "+34600000001", "", 2),
        ({"text": "🙂" * 1600}, "+34600000001", "🙂" * 1600, 0),
        ({"text": "x", "sender": "22000"}, "22000", "x", 0),
        ({"text": "x", "ButtonText": "Yes", "ChannelPrefix": "sms"}, "+34600000001", "x", 0),
        ({"text": "x", "sender": "rcs:alba_clinic"}, "rcs:alba_clinic", "x", 0),
        ({"text": "x", "sender": "+34600000000"}, "+34600000000", "x", 0),
        ({"text": "x", "sender": "whatsapp:+34600000001"}, "whatsapp:+34600000001", "x", 0),
        ({"text": "توقف\r\n=?x"}, "+34600000001", "توقف\r\n=?x", 0),
    ],
    ids=["empty", "pictures alone", "1600 characters", "a short code", "a button",
         "a name on another channel", "our own number", "another channel", "another script"],
)  # fmt: skip
def test_whatever_a_person_can_send_is_kept(
    line: Line, form: dict[str, Any], sender: str, text: str, media: int
) -> None:
    assert line.writes(**form).status == 200
    (found,) = line.desk.outbox.replies()
    assert (found.reply.sender, found.reply.text, found.reply.media) == (sender, text, media)


BAD_FORMS: dict[str, dict[str, Any]] = {
    "another account": {"account": "AC" + "9" * 32},
    "an odd id": {"sid": "SM' OR 1=1"},
    "two ids": {"SmsMessageSid": OTHER_SID},
    "no sender": {"sender": ""},
    "a sender of two lines": {"sender": "+34600000001\n"},
    "an endless sender": {"sender": "1" * 65},
    "a sender that is a name": {"sender": "ALBA CLINIC"},
    "no number of ours": {"To": ""},
    "a field between words and sender": {"Dizziness": ""},
    "an odd count": {"NumMedia": "-1"},
    "too many fields": {f"Field{n}": "" for n in range(200)},
}


@pytest.mark.parametrize("form", BAD_FORMS.values(), ids=BAD_FORMS)
def test_a_form_that_is_not_as_the_provider_sends_it_is_refused_even_if_it_is_signed(
    line: Line, form: dict[str, Any]
) -> None:
    assert line.writes(**form).status == 403
    assert line.replies() == []


def test_a_form_without_words_is_no_message_that_came_in(line: Line) -> None:
    form = inbound(SID)
    del form["Body"]
    assert twilio_calls.call(f"{HOOKS}/inbound", form, line.port).status == 403


FORGED: dict[str, dict[str, Any]] = {
    "another token": {"token": "another-token"},
    "signed for another address": {"signed_url": f"{HOOKS}/status"},
    "other words than were signed": {"body": urlencode(inbound(SID, "STOP")).encode()},
    "not UTF-8": {"body": urlencode(inbound(SID)).encode() + b"&Body=%ff%fe"},
    "no form at all": {"body": b"&&&="},
}


@pytest.mark.parametrize("how", FORGED.values(), ids=FORGED)
def test_whatever_the_provider_has_not_signed_is_refused(line: Line, how: dict[str, Any]) -> None:
    assert line.writes(**how).status == 403
    assert line.replies() == []


def test_only_a_post_brings_a_reply(line: Line) -> None:
    assert ask("GET", "/hooks/twilio/inbound", line.port).status == 405


def test_while_the_database_is_locked_nothing_is_acknowledged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.outbox, "_patience_seconds", 0.1)
    with open_line(desk) as line:
        with locked(desk):
            assert line.writes().status == 503
        assert line.writes().status == 200


def test_whoever_calls_hears_of_a_database_that_does_not_answer_before_the_line_is_cut(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "PATIENCE_SECONDS", 0.1)
    with open_line(desk) as line:
        with locked(desk):
            answer = line.writes()
            assert (answer.status, answer.headers["retry-after"]) == (503, "30")
        assert line.writes().status == 200
        assert line.replies() == [(SID, "+34600000001", "Thanks!")]


def test_what_comes_together_is_kept_each_for_itself(line: Line) -> None:
    def one(n: int) -> int:
        return line.writes(f"{n}", f"SM{n:032x}").status

    with ThreadPoolExecutor(20) as crowd:
        assert set(crowd.map(one, range(60))) == {200}
    assert sorted(int(each[2]) for each in line.replies()) == list(range(60))


def test_what_was_kept_is_handled_by_whoever_sends(desk: Desk) -> None:
    vera = desk.patient()
    with open_line(desk) as line:
        line.writes("Hello")
    (found,) = desk.outbox.replies()
    assert desk.outbox.waiting_replies(["twilio"], 9) == [found]
    assert desk.outbox.waiting_replies(["console"], 9) == []
    assert vera.phone == found.reply.sender


@pytest.mark.parametrize(
    ("form", "answered"),
    [
        ({"text": "HELP"}, True),
        ({"text": " stop "}, True),
        ({"text": "SOCORRO", "OptOutType": "HELP"}, True),
        ({"text": "AYUDA"}, False),
        ({"text": "HELP me"}, False),
    ],
)
def test_it_is_kept_whether_the_provider_answers_by_itself(
    line: Line, form: dict[str, Any], answered: bool
) -> None:
    assert line.writes(**form).status == 200
    (kept,) = line.desk.outbox.replies()
    assert kept.reply.answered is answered
