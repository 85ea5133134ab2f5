"""Accepts every message and sends it nowhere: for dry runs, simulations and measurements.

It is not offered as an entry point, so that no configuration can choose it by mistake.
"""

from reminderd.model import Channel, Message


class Nowhere:
    """Takes messages as fast as they come; the id that it gives is the message's own."""

    Settings = None
    channels = frozenset(Channel)
    leaves_machine = False
    max_per_second = None

    def __init__(self, concurrency: int = 64) -> None:
        self.concurrency = concurrency

    def send(self, message: Message) -> str:
        return message.id

    def test(self) -> str:
        return "nothing to reach"

    def close(self) -> None:
        return None
