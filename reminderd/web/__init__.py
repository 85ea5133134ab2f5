"""HTTP in the daemon: whether it lives and how it goes, and where providers call.

Nothing of it is loaded unless `[web] listen` is set.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec

from reminderd.clock import Clock
from reminderd.errors import ConfigurationError
from reminderd.interfaces import Outbox, Transport
from reminderd.model import Channel
from reminderd.pulse import Pulse
from reminderd.wishes import Wishes

log = logging.getLogger(__name__)


def _nobody_hears() -> None:
    """Nothing comes of it."""


def _none() -> str:
    """There is no trouble."""
    return ""


@dataclass(frozen=True)
class Shown:
    """What is told of the process: its pulse, and the transport of each clinic's channels.

    `trouble` tells why this process sends nothing though others may. `for_all`: other machines
    are told too. `missed` hears that a call was turned away that may have been a provider's, and
    `ended` that the server has ended without having been told to.
    """

    pulse: Pulse = field(default_factory=Pulse)
    routes: Mapping[tuple[str, Channel], str] = field(default_factory=dict)
    for_all: bool = False
    missed: Callable[[], None] = _nobody_hears
    ended: Callable[[], None] = _nobody_hears
    trouble: Callable[[], str] = _none


@contextmanager
def open_at(
    listen: str,
    outbox: Outbox,
    clock: Clock,
    transports: Mapping[str, Transport],
    shown: Shown | None = None,
    wishes: Callable[[], Wishes] | None = None,
) -> Iterator[None]:
    """Answer at this address, in a thread of its own, until the end of the `with`.

    What is under way then is finished. `wishes` takes in what patients want who press the button of
    a mail; without it there is no such address. Raises TryAgainLater where the port is taken, and
    at the end where the server had ended before; ConfigurationError where the address or the extra
    packages are missing.
    """
    refuse_without_packages()
    from reminderd.web.health import Health
    from reminderd.web.server import serving
    from reminderd.web.site import application

    shown = shown or Shown()
    with ExitStack() as open_things:
        health = Health(outbox, clock, shown.pulse, shown.routes, shown.trouble)
        served = application(transports, health, open_things, wishes, shown)
        with serving(listen, served, shown):
            log.info("listening: %s", listen)
            yield


def refuse_without_packages() -> None:
    """Raises ConfigurationError where the extra `web` is not installed."""
    wanted = ("starlette", "uvicorn", "prometheus_client")
    missing = [each for each in wanted if find_spec(each) is None]
    if missing:
        names = ", ".join(missing)
        raise ConfigurationError(
            [f"web.listen: HTTP needs what is not installed: {names}"],
            remedy='Install it: pip install "reminderd[web]"; or take listen out of [web].',
        )
