"""`alerts test`: whom it reaches, as the clinic sets it up."""

import json
from collections.abc import Iterator
from email import message_from_bytes

import pytest

from tests.cli.desk import Clinic
from tests.fakes.smtp_server import SmtpServer

ALERTS = """
[alerts]
to = ["front@example.org"]
second = ["doctor@example.org", "front@example.org"]
"""


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


def add(clinic: Clinic, *sections: str) -> None:
    with clinic.config.open("a") as config:
        config.write("\n".join(["", *sections]))


def by_mail(clinic: Clinic, server: SmtpServer) -> None:
    """Mail leaves by that server, and the two are told."""
    text = clinic.config.read_text().replace('email = "file"', 'email = "smtp"')
    clinic.config.write_text(text)
    keys = ("host", "port", "security", "sender")
    given = [f"{key} = {json.dumps(server.settings()[key])}" for key in keys]
    add(clinic, "[transports.smtp]", *given, ALERTS)


def test_everybody_gets_one_that_says_it_is_a_test(clinic: Clinic, server: SmtpServer) -> None:
    by_mail(clinic, server)
    assert clinic.says("alerts", "test") == "✓ front@example.org\n✓ doctor@example.org\n"
    assert [each.to for each in server.mails] == ["front@example.org", "doctor@example.org"]
    assert message_from_bytes(server.mails[0].content)["Subject"].endswith(": a test")


def test_whoever_does_not_get_it_is_named_and_it_ends_with_75(
    clinic: Clinic, server: SmtpServer
) -> None:
    by_mail(clinic, server)
    server.script("RCPT", "550 5.1.1 no such mailbox")
    done = clinic.types("alerts", "test", "--json")
    assert done.exit_code == 75
    first, second = json.loads(done.stdout)["alerts"]
    assert (first["recipient"], second["error"]) == ("front@example.org", None)
    assert "5.1.1" in first["error"]
    assert "not taken: 1 of 2" in done.stderr


def test_where_nobody_is_named_it_says_so(clinic: Clinic) -> None:
    done = clinic.types("alerts", "test")
    assert done.exit_code == 78
    assert "nobody is named" in done.stderr


def test_check_says_who_is_told(clinic: Clinic) -> None:
    assert "nobody at the clinic is told at once" in clinic.says("check")
    add(clinic, ALERTS)
    assert "1 told at once, 1 more after 15m" in clinic.says("check")
