"""The daemon as a process, and a mail program whose *Unsubscribe* button somebody presses."""

from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.end_to_end.clinic import Clinic, leaving
from tests.fakes.smtp_server import SmtpServer
from tests.fakes.twilio_calls import ask
from tests.fakes.twilio_server import TwilioServer
from tests.waiting import until
from tests.web.line import PUBLIC, free_port


@pytest.fixture
def port() -> int:
    """Where a proxy hands on what comes to the public address."""
    return free_port()


@pytest.fixture
def clinic(tmp_path: Path, servers: tuple[TwilioServer, SmtpServer], port: int) -> Iterator[Clinic]:
    clinic = leaving(tmp_path, *servers)
    with clinic.config.open("a") as config:
        config.write(f'\n[web]\nlisten = "127.0.0.1:{port}"\npublic_url = "{PUBLIC}"\n')
    clinic.says("protocol", "approve", "mesotherapy", "--by", "Dr. Example")
    yield clinic
    clinic.close()


def test_one_click_in_a_mail_ends_all_mails_at_once(
    clinic: Clinic, servers: tuple[TwilioServer, SmtpServer], port: int
) -> None:
    _, smtp = servers
    daemon = clinic.runs()
    daemon.logs("ready")
    clinic.enrol("Vera", channels="email")
    until(lambda: smtp.mails, "the mail")
    mail = message_from_bytes(smtp.mails[0].content)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = urlsplit(mail["List-Unsubscribe"].partition(">")[0].removeprefix("<"))
    assert f"{address.scheme}://{address.netloc}" == PUBLIC
    assert ask("GET", address.path, port).status == 200
    waited = clinic.reminders("--state", "scheduled")
    assert ask("POST", address.path, port, b"List-Unsubscribe=One-Click").status == 200
    assert clinic.reminders("--state", "scheduled") == []
    ended = {each["id"] for each in clinic.reminders("--reason", "opted-out")}
    assert ended == {each["id"] for each in waited}
    assert "vera@" not in daemon.log
    assert address.path.rpartition("/")[2] not in daemon.log
    assert daemon.stop() == 0
