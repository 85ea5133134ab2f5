"""Accepts every message and sends it nowhere: for dry runs, simulations and measurements.

It is not offered as an entry point, so that no configuration can choose it by mistake.
"""

from typing import Any, ClassVar

from reminderd.model import Channel, Message


class Nowhere:
    """Takes messages as fast as they come; the id that it gives is the message's own."""

    Settings: ClassVar[type[Any]] = type(None)
    channels: ClassVar[frozenset[Channel]] = frozenset(Channel)
    leaves_machine: ClassVar[bool] = False
    max_per_second: float | None = None
    concurrency = 128

    def send(self, message: Message) -> str:
        return message.id

    def test(self) -> str:
        return "nothing to reach"

    def close(self) -> None:
        return None
