"""HTTP in the daemon: whether it lives, and where providers call.

Nothing of it is loaded unless `[web] listen` is set.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec

from reminderd.clock import Clock
from reminderd.errors import ConfigurationError
from reminderd.interfaces import Outbox, Receiver, Transport

log = logging.getLogger(__name__)


@contextmanager
def open_at(
    listen: str, outbox: Outbox, clock: Clock, transports: Mapping[str, Transport]
) -> Iterator[None]:
    """Answer at this address, in a thread of its own, until the end of the `with`.

    What is under way then is finished. Raises TryAgainLater where the port is taken,
    ConfigurationError where the address or the extra packages are missing.
    """
    refuse_without_packages()
    from reminderd.web.hooks import application
    from reminderd.web.inbox import Inbox
    from reminderd.web.server import serving

    receivers = {name: each for name, each in transports.items() if isinstance(each, Receiver)}
    inbox = Inbox(outbox, clock)
    try:
        with serving(listen, application(receivers, inbox)):
            log.info("listening: %s", listen)
            yield
    finally:
        inbox.close()


def refuse_without_packages() -> None:
    """Raises ConfigurationError where the extra `web` is not installed."""
    missing = [each for each in ("starlette", "uvicorn") if find_spec(each) is None]
    if missing:
        raise ConfigurationError(
            [f"web.listen: HTTP needs {' and '.join(missing)}, which is not installed"],
            remedy='Install it: pip install "reminderd[web]"; or take listen out of [web].',
        )
