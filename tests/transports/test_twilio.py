"""Text messages by the real twilio client against a server that speaks its interface."""

import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from reminderd.errors import (
    AtCapacity,
    ContentRefused,
    CredentialsRefused,
    InDoubt,
    OptedOut,
    Rejected,
    SenderRefused,
    Temporary,
    TransportError,
    WrongAddress,
)
from reminderd.interfaces import Callback
from reminderd.model import Outcome, Receipt
from reminderd.transports import twilio_codes
from reminderd.transports.twilio import Twilio, TwilioSettings
from tests.fakes import twilio_server as fake
from tests.fakes.smtp_server import DROP, Certificate, SmtpServer
from tests.fakes.twilio_server import TwilioServer
from tests.transports.letters import PHONE, sms

Opener = Callable[..., Twilio]
KEY = "SK" + "1" * 32
SERVICE = "MG" + "2" * 32


@pytest.fixture(scope="module")
def running() -> Iterator[TwilioServer]:
    with TwilioServer(**{KEY: "key-secret"}) as server:
        yield server


@pytest.fixture
def server(running: TwilioServer) -> TwilioServer:
    running.requests.clear()
    running.messages.clear()
    return running


@pytest.fixture
def transport(server: TwilioServer) -> Iterator[Opener]:
    opened: list[Twilio] = []

    def with_settings(**changes: Any) -> Twilio:
        opened.append(Twilio(TwilioSettings(**server.settings(**changes))))
        return opened[-1]

    yield with_settings
    for each in opened:
        each.close()


def test_a_text_message_arrives_as_it_was_written(server: TwilioServer, transport: Opener) -> None:
    sid = transport().send(sms(text="Grüße & 2 + 2 = 4"))
    (kept,) = server.messages
    assert kept["sid"] == sid
    assert (kept["to"], kept["from"], kept["body"]) == (PHONE, "+34600000000", "Grüße & 2 + 2 = 4")


def test_it_is_asked_to_call_by_the_attempts_id_once_it_is_known_where(
    server: TwilioServer, transport: Opener
) -> None:
    quiet, called = transport(), transport()
    called.be_called_at("https://care.example.org/hooks/twilio")
    for each in (quiet, called):
        each.send(replace(sms(), attempt="abc_-9"))
    asked = [each.form.get("StatusCallback") for each in server.requests]
    assert asked == [None, "https://care.example.org/hooks/twilio/status?attempt=abc_-9"]


def test_a_messaging_service_takes_the_place_of_the_number(
    server: TwilioServer, transport: Opener
) -> None:
    transport(**{"from": None}, messaging_service_sid=SERVICE).send(sms())
    form = server.requests[0].form
    assert form["MessagingServiceSid"] == SERVICE
    assert "From" not in form


@pytest.mark.parametrize(
    ("valid_for", "sent"),
    [
        (timedelta(minutes=90), "5400"),
        (timedelta(days=3), "36000"),
        (timedelta(seconds=0.2), "1"),
        (timedelta(seconds=-5), "1"),
    ],
)
def test_the_provider_does_not_deliver_what_has_expired(
    server: TwilioServer, transport: Opener, valid_for: timedelta, sent: str
) -> None:
    transport().send(sms(valid_for=valid_for))
    assert server.requests[0].form["ValidityPeriod"] == sent


def test_an_api_key_signs_in_where_one_is_given(server: TwilioServer, transport: Opener) -> None:
    transport(api_key_sid=KEY, api_key_secret="key-secret", auth_token=None).send(sms())
    assert server.requests[0].login == (KEY, "key-secret")
    assert server.account in server.requests[0].path


def test_the_test_reads_the_account_and_sends_nothing(
    server: TwilioServer, transport: Opener
) -> None:
    assert "is active" in transport().test()
    assert [each.method for each in server.requests] == ["GET"]
    with pytest.raises(CredentialsRefused):
        transport(auth_token="wrong").test()


@pytest.mark.parametrize("code", sorted(twilio_codes.CODES))
@pytest.mark.parametrize("form", [fake.error, fake.problem])
def test_every_listed_code_is_told_as_the_table_says(
    server: TwilioServer, transport: Opener, code: int, form: Callable[[int], fake.Reply]
) -> None:
    server.script(form(code))
    with pytest.raises(TransportError) as caught:
        transport().send(sms())
    kind, meaning = twilio_codes.CODES[code]
    assert (type(caught.value), caught.value.code) == (kind, str(code))
    assert meaning in str(caught.value)
    assert server.messages == []


PROMISED: list[tuple[fake.Behaviour, type[TransportError]]] = [
    *[(fake.error(code), WrongAddress) for code in (21211, 21614, 30005, 30006)],
    (fake.error(21610), OptedOut),
    (fake.error(30007), ContentRefused),
    (fake.error(21606), SenderRefused),
    (fake.error(99999), Rejected),
    (fake.error(20003, 401), CredentialsRefused),
    (fake.error(99999, 401), CredentialsRefused),
    (fake.error(99999, 403), CredentialsRefused),
    (fake.error(21408, 403), Rejected),
    (fake.Reply(403, "<html>no</html>"), CredentialsRefused),
    (fake.Reply(400, "[]"), Rejected),
    (fake.error(20429, 429), AtCapacity),
    (fake.error(99999, 429), AtCapacity),
    (fake.Reply(429), AtCapacity),
    (fake.server_error(500), InDoubt),
    (fake.server_error(503), InDoubt),
    (fake.error(21211, 500), InDoubt),
    (fake.html(), InDoubt),
    (fake.Reply(201, ""), InDoubt),
    (fake.Reply(201, "{}"), InDoubt),
    (fake.Reply(201, "[]"), InDoubt),
    (fake.Reply(201, '{"sid": ""}'), InDoubt),
    (fake.Reply(201, '{"sid": "SM1'), InDoubt),
    (fake.hang(), InDoubt),
    (fake.reset(), InDoubt),
    (fake.reset(read_first=False), InDoubt),
]


@pytest.mark.parametrize(("behaviour", "kind"), PROMISED)
def test_every_answer_says_what_to_do(
    server: TwilioServer, transport: Opener, behaviour: fake.Behaviour, kind: type[TransportError]
) -> None:
    server.script(behaviour)
    twilio = transport()
    twilio._settings.timeout = 0.4
    with pytest.raises(TransportError) as caught:
        twilio.send(sms())
    assert type(caught.value) is kind
    posts = [each for each in server.requests if each.method == "POST"]
    assert len(posts) <= 1  # never a second time from here
    twilio._settings.timeout = 15
    assert twilio.send(sms()).startswith("SM")


def test_a_redirection_is_not_followed_and_in_doubt(
    server: TwilioServer, transport: Opener
) -> None:
    server.script(fake.redirect(server.url + "/elsewhere"))
    with pytest.raises(InDoubt):
        transport().send(sms())
    assert len(server.requests) == 1


WISHES = [
    ("7", timedelta(seconds=7)),
    ("Sun, 06 Nov 1994 08:51:37 GMT", timedelta(minutes=2)),
    ("Sun, 06 Nov 1994 08:00:00 GMT", timedelta(0)),
    ("soon", None),
]


@pytest.mark.parametrize(("header", "pause"), WISHES)
def test_the_provider_may_say_when_to_come_back(
    server: TwilioServer, transport: Opener, header: str, pause: timedelta | None
) -> None:
    server.script(fake.rate_limited(header, Date="Sun, 06 Nov 1994 08:49:37 GMT"))
    with pytest.raises(Temporary) as caught:
        transport().send(sms())
    assert caught.value.retry_after == pause


def test_where_nobody_listens_nothing_has_left(transport: Opener) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Temporary):
            transport(api_base=base).send(sms())
    with pytest.raises(Temporary):
        transport(api_base="https://api.invalid").send(sms())


def test_a_line_that_breaks_before_it_is_encrypted_means_that_nothing_has_left(
    server: TwilioServer, transport: Opener
) -> None:
    with pytest.raises(Temporary):
        transport(api_base=server.url.replace("http:", "https:")).send(sms())
    with SmtpServer() as other:
        other.script("connect", DROP)
        with pytest.raises(Temporary):
            transport(api_base=f"https://127.0.0.1:{other.port}").send(sms())


def test_a_certificate_that_does_not_hold_means_that_nothing_has_left(
    tmp_path: Path, transport: Opener
) -> None:
    with SmtpServer(tls=Certificate(tmp_path), implicit=True) as other:
        twilio = transport(api_base=f"https://127.0.0.1:{other.port}")
        with pytest.raises(Temporary, match="SSLError"):
            twilio.send(sms())


def test_neither_errors_nor_logs_show_whom_we_write_to_and_what(
    server: TwilioServer, transport: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script(
        fake.error(21211, message=f"'{PHONE}', Ana Prueba: Please do not shower until 02:30."),
        fake.hang(),
        fake.html(),
    )
    twilio = transport()
    twilio._settings.timeout = 0.4
    shown = []
    for _ in range(3):
        with pytest.raises(TransportError) as caught:
            twilio.send(sms())
        assert caught.value.__suppress_context__
        shown.append(str(caught.value))
    twilio._settings.timeout = 15
    twilio.send(sms())
    for secret in (PHONE[1:], "Ana Prueba", "shower", fake.TOKEN):
        assert secret not in " ".join(shown)
        assert secret not in caplog.text


def test_connections_are_kept_and_never_shared_by_two_calls(
    server: TwilioServer, transport: Opener
) -> None:
    twilio = transport()
    twilio.send(sms())
    line = twilio._pool.take()
    assert line is not None
    twilio.send(sms())
    assert twilio._pool.take() is not line
    line.close()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"from": None}, "exactly one of from and messaging_service_sid"),
        ({"messaging_service_sid": SERVICE}, "exactly one of from and messaging_service_sid"),
        ({"api_key_sid": KEY}, "belong together"),
        ({"auth_token": None}, "give auth_token"),
        ({"account_sid": "AC1"}, "account_sid"),
        ({"api_base": "http://api.example.org"}, "must begin with"),
        ({"api_base": "api.example.org"}, "must begin with"),
        ({"timeout": "soon"}, "is not a time to wait"),
        ({"max_per_second": 0}, "max_per_second"),
        ({"concurrency": 0}, "concurrency"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any], said: str) -> None:
    good = {"account_sid": fake.ACCOUNT, "auth_token": "hunter22", "from": "+34600000000"}
    assert TwilioSettings(**good).concurrency == 16
    with pytest.raises(ValidationError, match=said):
        TwilioSettings(**{**good, **wrong})


# Looking for evidence -----------------------------------------------------------------------------


def listed(server: TwilioServer, **facts: str | int | None) -> str:
    """A message in the provider's list; returns its SID."""
    record = server.accept({"To": PHONE, "From": "+34600000000", "Body": sms().text})
    record.update(facts)
    return str(record["sid"])


def found(transport: Twilio, after: timedelta = timedelta()) -> list[str]:
    """The SIDs of what the provider's list has."""
    since = sms().at + after
    return [each.provider_id for each in transport.find(PHONE, sms().text, since)]


@pytest.mark.parametrize(
    ("status", "code", "receipt", "meaning"),
    [
        ("queued", None, Receipt.QUEUED, None),
        ("delivered", None, Receipt.DELIVERED, None),
        ("undelivered", 30005, Receipt.UNDELIVERED, Outcome.WRONG_ADDRESS),
        ("failed", 21610, Receipt.FAILED, Outcome.OPTED_OUT),
        ("failed", 30003, Receipt.FAILED, None),
    ],
)
def test_the_list_says_what_became_of_it_as_a_call_would(
    server: TwilioServer,
    transport: Opener,
    status: str,
    code: int | None,
    receipt: Receipt,
    meaning: Outcome | None,
) -> None:
    sid = listed(server, status=status, error_code=code)
    (told,) = transport().find(PHONE, sms().text, sms().at)
    assert told == Callback(None, sid, receipt, str(code) if code else None, meaning)


def test_the_provider_is_asked_what_it_has_taken(server: TwilioServer, transport: Opener) -> None:
    late = listed(server, date_created="Sat, 28 Mar 2026 14:30:40 +0000")
    early = listed(server, date_created="Sat, 28 Mar 2026 14:30:00 +0000")
    listed(server, date_created="Sat, 28 Mar 2026 14:29:59 +0000")
    listed(server, body="Another text")
    listed(server, direction="inbound")
    listed(server, to="+34600999999")
    assert found(transport()) == [early, late]
    assert server.requests[-1].query["To"] == PHONE


@pytest.mark.parametrize("since", [timedelta(0), timedelta(milliseconds=700)])
def test_instants_are_compared_in_the_providers_whole_seconds(
    server: TwilioServer, transport: Opener, since: timedelta
) -> None:
    sid = listed(server, date_created="Sat, 28 Mar 2026 14:30:00 +0000")
    assert found(transport(), since) == [sid]


def test_what_was_accepted_without_an_answer_is_found(
    server: TwilioServer, transport: Opener
) -> None:
    server.script(fake.reset(accept=True))
    opened = transport()
    with pytest.raises(InDoubt):
        opened.send(sms())
    assert found(opened) == [server.messages[-1]["sid"]]


def test_a_list_that_cannot_be_read_is_an_error_of_the_house(server: TwilioServer) -> None:
    gone = Twilio(TwilioSettings(**server.settings(auth_token="wrong")))
    with pytest.raises(CredentialsRefused):
        gone.find(PHONE, sms().text, sms().at)
    gone.close()
