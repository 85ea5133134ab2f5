"""Prints every message instead of sending it."""

import sys
from typing import ClassVar, TextIO

from pydantic import BaseModel, ConfigDict

from reminderd.model import Channel, Message


class ConsoleSettings(BaseModel):
    """The console has nothing to set."""

    model_config = ConfigDict(extra="forbid")


class Console:
    """Writes messages to `stream`, by default to standard output, as a person reads them."""

    Settings: ClassVar[type[ConsoleSettings]] = ConsoleSettings
    channels: ClassVar[frozenset[Channel]] = frozenset(Channel)
    leaves_machine: ClassVar[bool] = False

    def __init__(self, settings: ConsoleSettings, stream: TextIO | None = None) -> None:
        self.concurrency = 1
        self.max_per_second: float | None = None
        self._stream = stream

    def send(self, message: Message) -> str:
        """Print one message; its own id is the provider's."""
        stream = self._stream or sys.stdout
        print(_page(message), file=stream, flush=True)
        return message.id

    def test(self) -> str:
        """The console is always there."""
        return "prints to standard output"

    def close(self) -> None:
        """Nothing to let go of."""


def _page(message: Message) -> str:
    at = f"{message.at:%Y-%m-%dT%H:%M:%SZ}"
    head = f"{at}  {message.channel}  {message.recipient_name} <{message.to}>"
    subject = [f"Subject: {message.subject}", ""] if message.subject else []
    lines = [*subject, *message.text.splitlines()]
    return "\n".join([head, *(f"    {line}".rstrip() for line in lines), ""])
