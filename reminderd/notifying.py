"""Chats, pushes and pagers of the clinic's own people. The only room of apprise.

What leaves here goes through services that others run: it never holds a number, a name or a
patient's words.
"""

import warnings
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.util import find_spec
from typing import Protocol

from reminderd.errors import ConfigurationError, Temporary


class Service(Protocol):
    """As apprise makes it of an address."""

    def notify(self, body: str, title: str) -> bool: ...


class Notifier:
    """Tells services, each by a short name that does not give its address away.

    Raises ConfigurationError where an address is none, or the package is not installed.
    """

    def __init__(self, addresses: Mapping[str, Sequence[str]]) -> None:
        if any(addresses.values()):
            refuse_without_package()
        faults: list[str] = []
        self._services: dict[str, Service] = {}
        for key, each in addresses.items():
            for place, address in enumerate(each, start=1):
                made = _made(address)
                if made is None:
                    faults.append(f"alerts.{key}[{place}]: is not an address that apprise knows")
                else:
                    self._services[name_of(address)] = made
        if faults:
            raise ConfigurationError(faults, remedy="Its documentation lists how each is written.")

    def knows(self, name: str) -> bool:
        return name in self._services

    def tell(self, name: str, title: str, body: str) -> None:
        """Raises Temporary where the service of that name has not taken it."""
        try:
            taken = self._services[name].notify(body=body, title=title)
        except Exception as error:  # a stranger's error may hold the address
            raise Temporary(f"{name}: {type(error).__name__}") from None
        if not taken:
            raise Temporary(f"{name}: the service has not taken it")


def name_of(address: str) -> str:
    """`slack-3f9c2a71`: the same for the same address, which it does not hold."""
    kind = address.partition("://")[0].strip().lower()
    known = kind if kind.isalnum() and len(kind) <= 20 else "service"
    return f"{known}-{sha256(address.encode()).hexdigest()[:8]}"


def refuse_without_package() -> None:
    """Raises ConfigurationError where the extra `alerts` is not installed."""
    if find_spec("apprise") is None:
        raise ConfigurationError(
            ["alerts.notify: needs what is not installed: apprise"],
            remedy='Install it: pip install "reminderd[alerts]"; or take notify and second_notify '
            "out of [alerts].",
        )


def _made(address: str) -> Service | None:
    """None where apprise does not know what it means."""
    import logging

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own, about older pythons
        from apprise import Apprise

        # It says what it sends, and to which address; that belongs in no log of ours.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        made = Apprise.instantiate(address)
    return made if made else None
