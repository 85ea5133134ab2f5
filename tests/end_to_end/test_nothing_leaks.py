"""Nobody's name, number, mailbox or words, and no secret, outside of the database and the message.

Real processes, as they look from outside: their arguments, environment and title, what they print
and log, and the files that they leave.
"""

import csv
import os
import pty
import sqlite3
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from reminderd.engines.embedded import encrypting
from reminderd.sealing import Seal
from tests.end_to_end.clinic import Clinic, leaving, long_ago
from tests.fakes.smtp_server import SmtpServer
from tests.fakes.twilio_server import TwilioServer

KEY = b64encode(bytes([5] * 32)).decode()
PERSON = {
    "ref": "R-1",
    "given_name": "Zoecanary",
    "family_name": "Familycanary",
    "phone": "+34612345678",
    "email": "mailcanary@example.org",
    "channels": "sms;email",
    "consent": "sms;email",
    "protocol": "mesotherapy",
    "area": "areacanary",
}
TOKEN = "token0canary0token0canary0token0"
PRIVATE = (
    "zoecanary", "familycanary", "612345678", "612 345 678", "mailcanary", "areacanary",
    TOKEN, KEY.lower(),
)  # fmt: skip


@pytest.fixture
def clinic(tmp_path: Path, servers: tuple[TwilioServer, SmtpServer]) -> Iterator[Clinic]:
    """Encrypted, with every secret in a file."""
    twilio, smtp = servers
    (tmp_path / "database.key").write_text(KEY)
    (tmp_path / "twilio.token").write_text(TOKEN)
    twilio.logins[twilio.account] = TOKEN
    clinic = leaving(tmp_path, twilio, smtp, auth_token=None, auth_token_file="twilio.token")
    section, text = "[database]", clinic.config.read_text()
    clinic.config.write_text(
        text.replace(section, f'{section}\nencryption_key_file = "database.key"')
    )
    encrypting.convert(clinic.database, None, Seal(bytes([5] * 32), "a test"))
    assert encrypting.finish(clinic.database)
    yield clinic
    clinic.close()


def listed(folder: Path, **facts: str) -> Path:
    """A list with one person, who was treated a second ago."""
    file = folder / "list.csv"
    row = {**PERSON, "session_at": long_ago(seconds=1), **facts}
    with file.open("w", newline="") as out:
        writer = csv.DictWriter(out, row)
        writer.writeheader()
        writer.writerow(row)
    return file


def leaked(text: str | bytes) -> set[str]:
    plain = text if isinstance(text, str) else text.decode(errors="replace")
    return {each for each in PRIVATE if each in plain.lower()}


def process(number: int) -> bytes:
    """What everybody on the machine, or its user, sees of a process."""
    folder = Path("/proc") / str(number)
    threads = [each.read_bytes() for each in folder.glob("task/*/comm")]
    return b"\n".join([(folder / name).read_bytes() for name in ("cmdline", "environ", "comm")]
                      + threads)  # fmt: skip


def test_a_daemon_at_work_shows_nobody_and_no_secret(
    clinic: Clinic, servers: tuple[TwilioServer, SmtpServer]
) -> None:
    twilio, smtp = servers
    smtp.script("RCPT", "550 5.1.1 no such mailbox mailcanary@example.org for Zoecanary")
    clinic.says("protocol", "approve", "mesotherapy", "--by", "Dr. Example")
    daemon = clinic.runs()
    daemon.logs("ready")
    file = listed(clinic.folder, channels="email;sms")
    clinic.says("patient", "import", str(file), "--yes")
    file.unlink()
    daemon.logs("sent: 1")  # the text, in place of the mail
    assert "Zoecanary" in twilio.messages[0]["body"]
    assert leaked(process(daemon.number)) == set()
    assert daemon.stop() == 0
    assert "rem-1" in daemon.log
    assert leaked(daemon.log) == set()
    assert daemon.lines == []
    for each in clinic.folder.glob("reminderd.db*"):
        assert leaked(each.read_bytes()) == set(), each


@pytest.mark.parametrize("words", [("run",), ("run", "--once"), ("patient", "show", "R-1")])
def test_a_crash_shows_nobody_not_even_with_debug(clinic: Clinic, words: tuple[str, ...]) -> None:
    clinic.says("patient", "import", str(listed(clinic.folder)), "--yes")
    spoilt = f"{PERSON['phone']};{PERSON['email']}"
    with closing(sqlite3.connect(clinic.database)) as opened:
        opened.execute("UPDATE patients SET channels = ?", (spoilt,))
        opened.commit()
    done = subprocess.run(
        [*clinic.command("--debug"), *words], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "<number>" in done.stderr
    assert leaked(done.stdout + done.stderr) == set()


def test_somebody_can_be_taken_in_without_a_word_on_the_command_line(clinic: Clinic) -> None:
    file = listed(clinic.folder).read_bytes()
    command = clinic.command("patient", "import", "/dev/stdin", "--yes")
    assert leaked(" ".join(command)) == set()
    done = subprocess.run(command, input=file, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert clinic.data("patient", "list")["patients"][0]["phone"] == "+34612345678"


def test_on_a_terminal_enrol_asks_for_what_is_private(clinic: Clinic) -> None:
    ours, theirs = pty.openpty()
    asks = subprocess.Popen(
        clinic.command("enrol", "--consent", "sms", "--protocol", "mesotherapy"),
        stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
    )  # fmt: skip
    os.close(theirs)
    said = b""
    for question, answer in (
        (b"Given name: ", "Zoecanary"),
        (b"Phone: ", "612 345 678"),
        (b"Email: ", ""),
        (b"14:30): ", long_ago(minutes=5)),
    ):
        while not said.endswith(question):
            said += os.read(ours, 1000)
        os.write(ours, f"{answer}\n".encode())
        said = b""
    assert leaked(process(asks.pid)) == set()
    with suppress(OSError):  # the terminal is gone with its last user
        while os.read(ours, 1000):
            pass
    os.close(ours)
    assert asks.wait(20) == 0
    assert clinic.data("patient", "list")["patients"][0]["given_name"] == "Zoecanary"
