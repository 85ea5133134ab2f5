"""Status callbacks over real HTTP: what the provider has signed counts, and nothing else does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from reminderd.errors import InDoubt
from tests.core.answered import RED_FLAG, writes
from tests.core.build import at
from tests.core.desk import NOTE, Desk, state
from tests.fakes.twilio_calls import ask, signature, status
from tests.fakes.twilio_server import TOKEN
from tests.web.line import HOOKS, OTHER_SID, PUBLIC, SID, Line, open_line, receiver


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Vera's text has left, and no answer came."""
    desk = Desk(tmp_path, at("2026-03-10 08:00"))
    desk.protocol(NOTE)
    desk.treat(desk.patient(), "2026-03-10 09:00")
    desk.sms.script(InDoubt("no answer"))
    desk.drain("2026-03-10 10:00")
    yield desk
    desk.close()


def test_a_signed_callback_is_kept_before_it_is_acknowledged_and_settles_the_doubt(
    line: Line,
) -> None:
    answer = line.tell()
    assert (answer.status, answer.body) == (204, b"")
    assert line.kept() == [(SID, "delivered")]
    line.desk.drain()
    found = line.desk.the()
    assert (state(found), found.provider_id, found.receipt) == ("sent", SID, "delivered")


def test_the_same_call_again_is_acknowledged_and_counts_once(line: Line) -> None:
    assert [line.tell().status for _ in range(3)] == [204] * 3
    line.desk.drain()
    assert line.tell().status == 204
    assert line.kept() == [(SID, "delivered")]


@pytest.mark.parametrize(
    ("word", "receipt"),
    [
        ("accepted", "queued"), ("queued", "queued"), ("sending", "queued"), ("sent", "sent"),
        ("delivered", "delivered"), ("read", "delivered"), ("undelivered", "undelivered"),
        ("failed", "failed"), ("canceled", "failed"), ("a-new-word", "queued"),
    ],
)  # fmt: skip
def test_the_providers_words_become_ours(line: Line, word: str, receipt: str) -> None:
    assert line.tell(status(SID, word)).status == 204
    assert line.kept() == [(SID, receipt)]


@pytest.mark.parametrize(
    ("code", "meaning"),
    [("30005", "wrong-address"), ("21610", "opted-out"), ("30003", None), ("99999", None)],
)
def test_only_codes_that_say_so_speak_of_the_person(
    line: Line, code: str, meaning: str | None
) -> None:
    line.tell(status(SID, "undelivered", ErrorCode=code))
    assert line.desk.outbox.query("SELECT code, meaning FROM callbacks") == [(code, meaning)]


def test_a_receipt_finds_its_message_by_the_providers_id_too(line: Line) -> None:
    line.tell(status(SID, "queued"))
    line.desk.drain()
    assert line.tell(status(SID, "sent"), url=f"{HOOKS}/status").status == 204
    line.desk.drain()
    assert line.desk.the().receipt == "sent"


def test_of_an_automatic_answer_a_call_counts_at_once(line: Line) -> None:
    line.desk.sms.script(InDoubt("no answer"))
    writes(line.desk, RED_FLAG)
    line.desk.drain()
    answer = line.desk.outbox.answer_to(1)
    assert answer is not None
    for word in ("delivered", "sent"):
        told = line.tell(status(SID, word), url=f"{HOOKS}/status?attempt={answer.token}")
        assert told.status == 204
    found = line.desk.outbox.answer_to(1)
    assert found is not None
    assert (found.state, found.provider_id, found.receipt) == ("sent", SID, "delivered")
    assert line.kept() == []


@pytest.mark.parametrize("url", [f"{HOOKS}/status", f"{HOOKS}/status?attempt=nobody-has-this-one"])
def test_what_is_about_nothing_of_ours_is_acknowledged_and_changes_nothing(
    line: Line, url: str
) -> None:
    assert line.tell(status(OTHER_SID), url=url).status == 204
    assert line.kept() == []


# Refused ------------------------------------------------------------------------------------------


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in status(SID).items() if key != name}


BAD_FORMS: dict[str, Any] = {
    "another account": status(SID, account="AC" + "9" * 32),
    "no account": without("AccountSid"),
    "no id": without("MessageSid"),
    "an odd id": status("SM' OR 1=1"),
    "an id in capitals": status(SID.upper()),
    "no status": without("MessageStatus"),
    "an empty status": status(SID, ""),
    "an odd status": status(SID, "delivered\n"),
    "an odd code": status(SID, ErrorCode="30005x"),
    "digits of another script": status(SID, ErrorCode="٣٠٠٠٥"),
    "a field twice": [*status(SID).items(), ("To", "+34600000002")],
    "the same field twice": [*status(SID).items(), ("MessageStatus", "delivered")],
    "too many fields": status(SID, **{f"Field{n}": "" for n in range(200)}),
    "nothing": {},
}


@pytest.mark.parametrize("form", BAD_FORMS.values(), ids=BAD_FORMS)
def test_a_form_that_is_not_as_the_provider_sends_it_is_refused_even_if_it_is_signed(
    line: Line, form: Any
) -> None:
    assert line.tell(form).status == 403
    assert line.kept() == []


FORGED: dict[str, dict[str, Any]] = {
    "no signature": {"headers": {"X-Twilio-Signature": ""}},
    "a made-up signature": {"headers": {"X-Twilio-Signature": "c2lnbmVk"}},
    "a signature of another script": {"headers": {"X-Twilio-Signature": "\xfc\xf6" * 14}},
    "another token": {"token": "another-token"},
    "signed for another address": {"signed_url": "https://elsewhere.example.org/hooks"},
    "signed without the attempt": {"signed_url": f"{HOOKS}/status"},
    "signed for http": {"signed_url": f"{HOOKS}/status".replace("https", "http")},
    "other words than were signed": {"body": urlencode(status(SID, "failed")).encode()},
    "JSON": {"body": json.dumps(status(SID)).encode()},
    "not UTF-8": {"body": urlencode(status(SID)).encode() + b"&Body=%ff%fe"},
    "bytes": {"body": urlencode(status(SID)).encode() + b"&Body=\xff\x00"},
    "no form at all": {"body": b"&&&="},
}


@pytest.mark.parametrize("how", FORGED.values(), ids=FORGED)
def test_whatever_the_provider_has_not_signed_is_refused(line: Line, how: dict[str, Any]) -> None:
    assert line.tell(**how).status == 403
    assert line.kept() == []


def test_an_attempt_that_is_named_twice_is_refused(line: Line) -> None:
    assert line.tell(url=f"{line.url()}&attempt=another").status == 403
    assert line.tell(url=f"{line.url()}&odd").status == 403
    assert line.kept() == []


def test_the_query_counts_as_it_was_written(line: Line) -> None:
    coded = line.url().replace("attempt=", "%61ttempt=")
    assert line.tell(url=coded, signed_url=line.url()).status == 403
    assert line.tell(url=coded).status == 204


def test_where_it_was_called_is_never_taken_from_headers(line: Line) -> None:
    elsewhere = {
        "Host": "evil.example.com",
        "X-Forwarded-Host": "evil.example.com",
        "X-Forwarded-Proto": "http",
        "X-Original-URL": "/elsewhere",
    }
    evil = line.url().replace(PUBLIC, "http://evil.example.com")
    assert line.tell(signed_url=evil, headers=elsewhere).status == 403
    assert line.tell(headers=elsewhere).status == 204


def test_while_the_token_is_changed_both_count_and_afterwards_the_new_one_alone(desk: Desk) -> None:
    changed = receiver(auth_token="the-new-one", auth_token_old=TOKEN)
    with open_line(desk, {"twilio": changed}) as line:
        assert line.tell(token=TOKEN).status == 204
        assert line.tell(status(SID, "sent"), token="the-new-one").status == 204
        assert line.tell(status(SID, "failed"), token="a-third").status == 403
    with open_line(desk, {"twilio": receiver(auth_token="the-new-one")}) as line:
        assert line.tell(token=TOKEN).status == 403


def test_a_failure_while_it_is_looked_at_is_a_refusal_like_any_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = receiver()
    monkeypatch.setattr(broken, "status", lambda call: 1 / 0)
    with open_line(desk, {"twilio": broken}) as line:
        assert line.tell().status == 403
        assert line.kept() == []


def test_a_refusal_tells_the_log_how_to_mend_it_and_nothing_of_what_was_in_it(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        line.tell(status(SID, To="+34699999999"), token="another-token")
    (said,) = [each.getMessage() for each in caplog.records if "refused" in each.getMessage()]
    assert "another signature" in said
    assert "web.public_url" in said
    assert [each for each in ("699999999", SID, line.token()) if each in said] == []


# Other requests -----------------------------------------------------------------------------------


def test_it_says_that_it_lives(line: Line) -> None:
    answer = ask("GET", "/healthz", line.port)
    assert (answer.status, answer.body) == (200, b"ok")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_a_hook_answers_to_no_other_method(line: Line, method: str) -> None:
    assert ask(method, "/hooks/twilio/status", line.port).status == 405


@pytest.mark.parametrize(
    "path", ["/", "/hooks/twilio/status/", "/hooks/twilio", "/hooks/smtp/status", "/readyz/../x"]
)
def test_nothing_else_is_there_and_nobody_is_sent_elsewhere(line: Line, path: str) -> None:
    answer = ask("POST", path, line.port, b"", {"Host": "evil.example.com"})
    assert answer.status == 404
    assert "location" not in answer.headers


def test_our_own_reading_of_the_scheme_is_the_documented_one() -> None:
    """The example that the provider's documentation gives."""
    form = {
        "CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234",
        "From": "+14158675309", "To": "+18005551212",
    }  # fmt: skip
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signature(url, form.items(), "12345") == "RSOYDt4T1cUTdK1PDd93/VVr8B8="
