"""Writes every message as a file: `.eml` for a mail, `.txt` for a text message."""

import os
from datetime import UTC
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from reminderd.errors import Temporary
from reminderd.model import Channel, Message
from reminderd.transports import mail

# A sender that can never receive: nothing in these files is meant to be answered.
_SENDER = mail.Mailbox("", "reminders@clinic.invalid")


class FileSettings(BaseModel):
    """What `[transports.file]` holds."""

    model_config = ConfigDict(extra="forbid")

    directory: Path = Field(
        description="the folder that gets one file a message, for trying things out"
    )


class File:
    """One file a message, readable by its owner alone; names sort by time, then by id."""

    Settings: ClassVar[type[FileSettings]] = FileSettings
    channels: ClassVar[frozenset[Channel]] = frozenset(Channel)
    leaves_machine: ClassVar[bool] = False

    def __init__(self, settings: FileSettings) -> None:
        self.concurrency = 4
        self.max_per_second: float | None = None
        self._directory = settings.directory

    def send(self, message: Message) -> str:
        """Write one message and return the file's name; the same message replaces itself.

        Raises Temporary where the folder cannot be written, Rejected and WrongAddress as a
        mail server would.
        """
        suffix = "eml" if message.channel is Channel.EMAIL else "txt"
        name = f"{message.at.astimezone(UTC):%Y-%m-%dT%H%M%SZ}-{message.id}.{suffix}"
        content = mail.compose(message, _SENDER) if suffix == "eml" else _text(message)
        self._write(name, content)
        return name

    def test(self) -> str:
        """Write an empty file and remove it; raises Temporary where that fails."""
        name = f".reminderd-{os.getpid()}.test"
        self._write(name, b"")
        (self._directory / name).unlink()
        return f"writes to {self._directory}"

    def close(self) -> None:
        """Nothing to let go of."""

    def _write(self, name: str, content: bytes) -> None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _replace(self._directory / name, content)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else type(error).__name__
            raise Temporary(f"cannot write to {self._directory}: {reason}") from None


def _replace(path: Path, content: bytes) -> None:
    # A temporary file is made with mode 0600 whatever the umask.
    with NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as part:
        try:
            part.write(content)
            part.flush()
            os.replace(part.name, path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise


def _text(message: Message) -> bytes:
    name = mail.header_text(message.recipient_name, "the name in To")
    clinic = mail.header_text(message.clinic_name, "the name in From")
    page = f"To: {name} <{message.to}>\nFrom: {clinic}\n\n{message.text}\n"
    return page.encode("utf-8", "replace")
