"""What systemd hears from the service, over a real datagram socket."""

import os
import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest

from reminderd import systemd


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, dict[str, str]]]:
    """A listener such as systemd is, and the environment that it gives its services."""
    with (
        TemporaryDirectory(prefix="sd") as folder,  # pytest's own folders outgrow a socket's name
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener,
    ):
        listener.settimeout(5)
        if request.param == "path":
            name = str(Path(folder) / "notify")
            listener.bind(name)
        else:
            name = f"@reminderd-{uuid4()}"
            listener.bind("\0" + name[1:])
        yield listener, {"NOTIFY_SOCKET": name}


@pytest.mark.parametrize(
    ("say", "heard"),
    [
        (systemd.ready, b"READY=1"),
        (systemd.reloading, b"RELOADING=1"),
        (systemd.stopping, b"STOPPING=1"),
        (systemd.watchdog, b"WATCHDOG=1"),
        (lambda environ: systemd.status("7 wait\nREADY=1", environ), b"STATUS=7 wait READY=1"),
        (
            lambda environ: systemd.notify("READY=1", "STATUS=calm", environ=environ),
            b"READY=1\nSTATUS=calm",
        ),
    ],
    ids=["ready", "reloading", "stopping", "watchdog", "status is one line", "several at once"],
)
def test_systemd_hears_what_the_service_says(
    manager: tuple[socket.socket, dict[str, str]],
    say: Callable[[dict[str, str]], bool],
    heard: bytes,
) -> None:
    listener, environ = manager
    assert say(environ) is True
    assert listener.recv(1024) == heard


@pytest.mark.parametrize(
    "environ",
    [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}, {"NOTIFY_SOCKET": "/no/such/one"}],
)
def test_the_service_works_on_where_nobody_listens(environ: dict[str, str]) -> None:
    assert systemd.ready(environ) is False


def test_the_watchdog_asks_for_a_sign_of_life_within_its_interval() -> None:
    environ = {"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": str(os.getpid())}
    assert systemd.watchdog_interval(environ) == timedelta(minutes=2)
    del environ["WATCHDOG_PID"]
    assert systemd.watchdog_interval(environ) == timedelta(minutes=2)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"WATCHDOG_USEC": "0"},
        {"WATCHDOG_USEC": "soon"},
        {"WATCHDOG_USEC": "120000000", "WATCHDOG_PID": "1"},
    ],
    ids=["off", "zero", "no number", "meant for another process"],
)
def test_no_watchdog_means_no_interval(environ: dict[str, str]) -> None:
    assert systemd.watchdog_interval(environ) is None
