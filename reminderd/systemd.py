"""What systemd wants to hear from a service of `Type=notify`, and what it tells us.

Outside systemd every call is quiet and returns False.
"""

import os
import socket
from collections.abc import Mapping
from datetime import timedelta

Environ = Mapping[str, str]


def notify(*lines: str, environ: Environ = os.environ) -> bool:
    """Send assignments such as `READY=1` and return whether the service manager has them."""
    name = environ.get("NOTIFY_SOCKET", "")
    if not name.startswith(("/", "@")):
        return False
    address = "\0" + name[1:] if name.startswith("@") else name
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
        try:
            link.sendto("\n".join(lines).encode(), address)
        except OSError:
            return False  # The service outlives a manager that does not listen.
    return True


def ready(environ: Environ = os.environ) -> bool:
    """The service works from now on; also said once a reload is over."""
    return notify("READY=1", environ=environ)


def reloading(environ: Environ = os.environ) -> bool:
    """The configuration is being read again; `ready` ends it."""
    return notify("RELOADING=1", environ=environ)


def stopping(environ: Environ = os.environ) -> bool:
    """The service finishes what is in flight and ends."""
    return notify("STOPPING=1", environ=environ)


def status(text: str, environ: Environ = os.environ) -> bool:
    """One line for `systemctl status`."""
    return notify("STATUS=" + " ".join(text.split()), environ=environ)


def watchdog(environ: Environ = os.environ) -> bool:
    """The service is alive; due well within every `watchdog_interval`."""
    return notify("WATCHDOG=1", environ=environ)


def watchdog_interval(environ: Environ = os.environ) -> timedelta | None:
    """How long systemd waits for a sign of life before it kills us; None where it does not."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    meant_for = environ.get("WATCHDOG_PID", str(os.getpid()))
    if meant_for != str(os.getpid()) or not microseconds.isdecimal() or int(microseconds) == 0:
        return None
    return timedelta(microseconds=int(microseconds))
