"""What carries a message away, and what it may be able to do besides: one class per provider."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Protocol, runtime_checkable

from reminderd.model import Channel, Message
from reminderd.outbox_values import Call, Callback, News, Reply


class Transport(Protocol):
    """Carries messages to one provider. One class, found by entry point `reminderd.transports`.

    The class is called with its validated settings: `TransportClass(settings)`. `Settings` is the
    pydantic model of its section in the configuration (`[transports.<name>]`).
    """

    Settings: ClassVar[type[Any]]
    channels: ClassVar[frozenset[Channel]]
    leaves_machine: ClassVar[bool]
    concurrency: int  # how many `send` calls may run side by side, each in a thread of its own
    max_per_second: float | None

    def send(self, message: Message) -> str:
        """Hand one message over and return the provider's id for it.

        Raises a subclass of `TransportError` that says what is to be done next; anything else
        that it raises counts as `InDoubt`.
        """
        ...

    def test(self) -> str:
        """Reach the provider and prove the credentials without sending; returns what was seen.

        Raises `TransportError`.
        """
        ...

    def close(self) -> None:
        """Let go of connections; the transport is not used again."""
        ...


@runtime_checkable
class Witness(Protocol):
    """A transport whose provider can be asked what it has accepted."""

    def find(self, to: str, text: str, since: datetime) -> list[Callback]:
        """What the provider knows of messages with this text to this address, the earliest first.

        Only those that it took at `since` or later. Each without a token; applied like a call from
        it. Raises `TransportError`.
        """
        ...


@runtime_checkable
class Repeatable(Protocol):
    """A transport by which the same message twice is recognised as one."""

    def send_again(self, message: Message) -> str:
        """Hand the very same message over once more; as `Transport.send`."""
        ...


@runtime_checkable
class Receiver(Protocol):
    """A transport whose provider speaks of messages by itself, to an address of ours."""

    def be_called_at(self, address: str) -> None:
        """From now on the provider is asked to call `<address>/status`.

        Raises ConfigurationError where it could not be told who calls.
        """
        ...

    def status(self, call: Call) -> Callback:
        """What a call to `<address>/status` tells; raises anything unless it is proven genuine."""
        ...


@runtime_checkable
class Mailbox(Protocol):
    """A transport whose provider hands on what people write to a number of ours."""

    acknowledgement: ClassVar[tuple[str, str]]  # the media type and body that it wants to hear

    def inbound(self, call: Call) -> Reply:
        """What a call to `<address>/inbound` brings; raises anything unless proven genuine."""
        ...


@runtime_checkable
class Pollable(Protocol):
    """A transport whose provider can be asked what became of messages, and for those to us."""

    def news(self, since: datetime) -> Sequence[News]:
        """Every message that it sent or received at `since` or later. Raises `TransportError`."""
        ...

    def receipt(self, provider_id: str) -> Callback:
        """What is known of one message of ours by now. Raises `TransportError`."""
        ...
