"""Mail through a real SMTP server: what is certain, what is in doubt, what is hidden."""

from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import icalendar
import pytest
from pydantic import ValidationError

from reminderd.errors import (
    AtCapacity,
    ContentRefused,
    CredentialsRefused,
    InDoubt,
    Rejected,
    SenderRefused,
    Temporary,
    TransportError,
    WrongAddress,
)
from reminderd.transports.smtp import Smtp, SmtpSettings
from tests.fakes.smtp_server import DROP, HANG, Certificate, SmtpServer, cut
from tests.transports.letters import CALENDAR, email

Opener = Callable[..., Smtp]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture
def transport() -> Iterator[Opener]:
    opened: list[Smtp] = []

    def to(server: SmtpServer, **changes: Any) -> Smtp:
        opened.append(Smtp(SmtpSettings(**server.settings(**changes))))
        return opened[-1]

    yield to
    for each in opened:
        each.close()


def test_a_mail_arrives_as_it_was_written(server: SmtpServer, transport: Opener) -> None:
    provider_id = transport(server).send(email(text=".hidden dot\n.\nGrüße"))
    (mail,) = server.mails
    parsed = message_from_bytes(mail.content, policy=policy.default)
    assert (mail.sender, mail.to) == ("care@example.org", "ana.prueba@example.com")
    assert parsed["Message-ID"] == provider_id
    text = parsed.get_body(("plain",))
    assert text is not None
    assert text.get_content().splitlines() == [".hidden dot", ".", "Grüße"]


def test_a_calendar_arrives_as_a_file_of_its_own(server: SmtpServer, transport: Opener) -> None:
    transport(server).send(email(calendar=CALENDAR))
    parsed = message_from_bytes(server.mails[0].content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    (file,) = parsed.iter_attachments()
    (event,) = icalendar.Calendar.from_ical(file.get_content()).walk("VEVENT")
    assert (event["uid"], event["summary"]) == ("rem-1.main.abc", CALENDAR.events[0].summary)
    text = parsed.get_body(("plain",))
    assert text is not None
    assert "shower" in text.get_content()


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "tls"])
def test_mails_travel_encrypted_and_signed_in(
    certificate: Certificate, transport: Opener, implicit: bool
) -> None:
    with SmtpServer(tls=certificate, implicit=implicit, login=("care", "hunter22")) as server:
        assert "signed in" in transport(server).test()
        transport(server).send(email())
        assert server.mails[0].encrypted
        assert server.mails[0].user == "care"


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "tls"])
def test_an_unknown_certificate_is_not_trusted(
    certificate: Certificate, transport: Opener, implicit: bool
) -> None:
    with SmtpServer(tls=certificate, implicit=implicit) as server:
        with pytest.raises(Temporary, match="certificate does not hold"):
            transport(server, ca_file=None).send(email())
        assert server.mails == []


def test_a_certificate_for_another_name_is_not_trusted(tmp_path: Path, transport: Opener) -> None:
    other = Certificate(tmp_path, "mail.example.net")
    with SmtpServer(tls=other) as server, pytest.raises(Temporary, match="does not hold"):
        transport(server).send(email())


def test_without_starttls_on_offer_nothing_leaves(server: SmtpServer, transport: Opener) -> None:
    with pytest.raises(Temporary, match="STARTTLS: the server does not offer it"):
        transport(server, security="starttls").send(email())
    assert server.mails == []


def test_a_wrong_password_is_a_matter_of_credentials(transport: Opener) -> None:
    with SmtpServer(login=("care", "hunter22")) as server:
        for password in ("wrong", "não"):
            with pytest.raises(CredentialsRefused) as caught:
                transport(server, password=password).send(email())
            assert password not in str(caught.value)


def test_a_server_that_lets_nobody_sign_in_is_a_matter_of_credentials(
    server: SmtpServer, transport: Opener
) -> None:
    with pytest.raises(CredentialsRefused, match="AUTH: the server does not offer it"):
        transport(server, username="care", password="hunter22").send(email())


REFUSALS: list[tuple[str, str, type[TransportError], str]] = [
    ("connect", "421 4.3.2 too busy", AtCapacity, "4.3.2"),
    ("connect", "554 5.7.1 your address is blocked", SenderRefused, "5.7.1"),
    ("MAIL", "451 4.7.1 too fast", AtCapacity, "4.7.1"),
    ("MAIL", "451 later", AtCapacity, "451"),
    ("MAIL", "530 5.7.0 authentication required", SenderRefused, "5.7.0"),
    ("MAIL", "530 authentication required", CredentialsRefused, "530"),
    ("MAIL", "550 5.1.0 sender rejected", SenderRefused, "5.1.0"),
    ("MAIL", "553 5.1.8 no such domain", SenderRefused, "5.1.8"),
    ("RCPT", "450 4.2.1 mailbox busy", Temporary, "4.2.1"),
    ("RCPT", "452 4.2.2 mailbox full", Temporary, "4.2.2"),
    ("RCPT", "550 5.1.1 no such user", WrongAddress, "5.1.1"),
    ("RCPT", "550 no such user", WrongAddress, "550"),
    ("RCPT", "550 5.5.0 mailbox unavailable", WrongAddress, "5.5.0"),
    ("RCPT", "550 5.4.1 access denied", WrongAddress, "5.4.1"),
    ("RCPT", "552 5.2.2 over quota", WrongAddress, "5.2.2"),
    ("RCPT", "556 5.1.10 null MX", WrongAddress, "5.1.10"),
    ("RCPT", "421 4.7.0 too many mails", AtCapacity, "4.7.0"),
    ("RCPT", "450 4.7.1 greylisted", Temporary, "4.7.1"),
    ("RCPT", "550 5.7.1 relaying denied", Rejected, "5.7.1"),
    ("RCPT", "554 no", Rejected, "554"),
    ("DATA", "451 4.3.0 disk full", AtCapacity, "4.3.0"),
    ("DATA", "550 5.7.1 looks like spam", ContentRefused, "5.7.1"),
    ("DATA", "554 5.5.1 no", Rejected, "5.5.1"),
    ("DATA", "gibberish", Temporary, "-1"),
]


@pytest.mark.parametrize(("phase", "reply", "kind", "code"), REFUSALS)
def test_a_refusal_before_the_final_dot_says_what_to_do(
    server: SmtpServer,
    transport: Opener,
    phase: str,
    reply: str,
    kind: type[TransportError],
    code: str,
) -> None:
    server.script(phase, reply)
    smtp = transport(server)
    with pytest.raises(TransportError) as caught:
        smtp.send(email())
    assert (type(caught.value), caught.value.code) == (kind, code)
    assert server.mails == []
    smtp.send(email())
    assert len(server.mails) == 1


def test_a_refused_sign_in_is_final_or_not_as_the_server_says(transport: Opener) -> None:
    for reply, kind in (
        ("454 4.7.0 try later", Temporary),
        ("535 5.7.8 bad", CredentialsRefused),
        ("550 5.0.0 no", CredentialsRefused),
    ):
        with SmtpServer(login=("care", "hunter22")) as server:
            server.script("AUTH", *[reply] * 3)
            with pytest.raises(kind):
                transport(server).send(email())


@pytest.mark.parametrize("phase", ["connect", "EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("failure", [DROP, HANG, cut("25")], ids=["drop", "hang", "cut"])
def test_a_line_that_breaks_before_the_mail_is_whole_is_only_temporary(
    server: SmtpServer, transport: Opener, phase: str, failure: str
) -> None:
    server.script(phase, *[failure] * (2 if phase == "EHLO" else 1))
    smtp = transport(server)
    smtp._settings.timeout = 0.4
    with pytest.raises(Temporary):
        smtp.send(email())
    assert server.mails == []


def test_a_line_that_breaks_amid_a_long_mail_is_only_temporary(
    server: SmtpServer, transport: Opener
) -> None:
    server.script("body", DROP)
    with pytest.raises(Temporary):
        transport(server).send(email(text="All is well.\n" * 1_000_000))


@pytest.mark.parametrize(
    "reply",
    [
        DROP,
        HANG,
        cut("2"),
        cut("250"),
        cut("250 2.0.0 OK"),
        cut("250-2.0.0 queued\r\n"),
        "gibberish",
        "451 4.3.0 try later",
        "554 5.7.1 looks like spam",
        "354 go on",
    ],
)
def test_whatever_is_not_a_whole_yes_to_the_final_dot_is_in_doubt(
    server: SmtpServer, transport: Opener, reply: str
) -> None:
    server.script("dot", reply)
    smtp = transport(server)
    smtp._settings.timeout = 0.4
    with pytest.raises(InDoubt):
        smtp.send(email())
    smtp._settings.timeout = 15
    assert smtp.send(email(id="msg-13")).startswith("<msg-13.")


def test_a_yes_of_several_lines_is_a_yes(server: SmtpServer, transport: Opener) -> None:
    server.script("dot", "250-2.0.0 queued\r\n250 2.0.0 thank you")
    assert transport(server).send(email())


def test_the_same_message_again_is_byte_for_byte_the_same_mail(
    server: SmtpServer, transport: Opener
) -> None:
    server.script("dot", DROP)
    smtp = transport(server)
    with pytest.raises(InDoubt):
        smtp.send(email())
    smtp.send(email())
    first, second = server.mails
    assert first.content == second.content


def test_one_connection_carries_a_hundred_mails(server: SmtpServer, transport: Opener) -> None:
    smtp = transport(server)
    for number in range(101):
        smtp.send(email(id=f"msg-{number}"))
    assert [mail.connection for mail in server.mails] == [1] * 100 + [2]


def test_a_connection_that_the_server_closed_is_replaced_unnoticed(
    server: SmtpServer, transport: Opener
) -> None:
    smtp = transport(server)
    smtp.send(email())
    server.hang_up()
    smtp.send(email(id="msg-13"))
    server.script("MAIL", "421 4.4.2 idle for too long")
    smtp.send(email(id="msg-14"))
    assert [mail.connection for mail in server.mails] == [1, 2, 3]


def test_nobody_listening_is_only_temporary(server: SmtpServer, transport: Opener) -> None:
    smtp = transport(server)
    server.stop()
    with pytest.raises(Temporary):
        smtp.send(email())


def test_a_name_that_does_not_resolve_is_only_temporary(
    server: SmtpServer, transport: Opener
) -> None:
    with pytest.raises(Temporary):
        transport(server, host="mail.invalid", security="tls").send(email())


def test_an_address_with_foreign_letters_goes_only_where_the_server_can_carry_it(
    server: SmtpServer, transport: Opener
) -> None:
    message = email(to="ñandú@example.com")
    with pytest.raises(WrongAddress):
        transport(server).send(message)
    with SmtpServer(utf8=True) as able:
        transport(able).send(message)
        assert able.mails[0].to == "ñandú@example.com"


def test_what_the_server_says_is_told_without_the_patients_data(
    server: SmtpServer, transport: Opener
) -> None:
    server.script("RCPT", "550 5.1.1 <ana.prueba@example.com> (ana.prueba, Ana Prueba) is unknown")
    with pytest.raises(WrongAddress) as caught:
        transport(server).send(email())
    text = str(caught.value).lower()
    assert "is unknown" in text
    assert "prueba" not in text
    assert "example.com" not in text


def test_settings_that_would_show_the_password_are_refused() -> None:
    bare = {
        "sender": "care@example.org", "username": "care", "password": "hunter22",
        "security": "none",
    }  # fmt: skip
    with pytest.raises(ValidationError, match="would show the password"):
        SmtpSettings.model_validate({**bare, "host": "mail.example.org"})
    assert SmtpSettings.model_validate({**bare, "host": "localhost"})


@pytest.mark.parametrize(
    "wrong",
    [
        {"sender": "no address"},
        {"sender": "A <a@example.org>, B <b@example.org>"},
        {"sender": "A\r\nBcc: x@example.org <a@example.org>"},
        {"username": "care"},
        {"password": "hunter22"},
        {"timeout": "15"},
        {"timeout": 15},
        {"timeout": "0s"},
        {"port": 0},
        {"security": "ssl"},
        {"colour": "blue"},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any]) -> None:
    good = {"host": "mail.example.org", "sender": "care@example.org"}
    assert SmtpSettings(**good).timeout == 15
    with pytest.raises(ValidationError):
        SmtpSettings(**{**good, **wrong})


def test_the_password_does_not_show_in_the_settings() -> None:
    settings = SmtpSettings(
        host="localhost", sender="care@example.org", username="care", password="hunter22"
    )
    assert "hunter22" not in repr(settings)
