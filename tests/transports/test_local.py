"""The console and the file: for trying things out, nothing leaves the machine."""

import io
from email import message_from_bytes
from pathlib import Path

import pytest

from reminderd.errors import Temporary
from reminderd.transports.console import Console, ConsoleSettings
from reminderd.transports.file import File, FileSettings
from tests.transports.letters import email, sms


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


@pytest.fixture
def files(folder: Path) -> File:
    return File(FileSettings(directory=folder))


def test_the_console_shows_when_to_whom_and_what() -> None:
    stream = io.StringIO()
    assert Console(ConsoleSettings(), stream).send(email(text="One.\n\nTwo.")) == "msg-12"
    assert stream.getvalue() == (
        "2026-03-28T14:30:00Z  email  Ana Prueba <ana.prueba@example.com>\n"
        "    Subject: Your skin tonight\n"
        "\n"
        "    One.\n"
        "\n"
        "    Two.\n"
        "\n"
    )


def test_the_console_writes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    Console(ConsoleSettings()).send(sms())
    assert "Please do not shower" in capsys.readouterr().out


def test_a_text_message_becomes_a_text_file(files: File, folder: Path) -> None:
    assert files.send(sms()) == "2026-03-28T143000Z-msg-12.txt"
    assert (folder / "2026-03-28T143000Z-msg-12.txt").read_text() == (
        "To: Ana Prueba <+34600123456>\n"
        "From: Alba Skin Clinic\n"
        "\n"
        "Please do not shower until 02:30.\n"
    )


def test_a_mail_becomes_a_file_that_mail_programs_open(files: File, folder: Path) -> None:
    content = (folder / files.send(email())).read_bytes()
    assert message_from_bytes(content)["Subject"] == "Your skin tonight"


def test_only_the_owner_can_read_and_nothing_half_written_stays(files: File, folder: Path) -> None:
    name = files.send(sms())
    files.send(sms())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / name).stat().st_mode & 0o777 == 0o600
    assert [each.name for each in folder.iterdir()] == [name]


def test_a_folder_that_cannot_be_written_is_temporary(files: File, folder: Path) -> None:
    folder.write_text("in the way")
    with pytest.raises(Temporary, match="cannot write to"):
        files.send(sms())
    with pytest.raises(Temporary, match="cannot write to"):
        files.test()


def test_the_test_leaves_nothing_behind(files: File, folder: Path) -> None:
    assert str(folder) in files.test()
    assert list(folder.iterdir()) == []
