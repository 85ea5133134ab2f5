"""A real process that is killed (SIGKILL) at the N-th passing of a named step.

    python -m tests.faults.crash CONFIG INSTANT STEP N COMMAND…

Runs the command line with the wall clock at INSTANT. Nothing of this is in the product: the outbox
and the transports of this process are wrapped here.
"""

import os
import signal
import sys
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from reminderd import bootstrap, daemon
from reminderd.cli import context
from reminderd.clock import VirtualClock
from reminderd.engines.embedded import schema, store
from reminderd.model import Message
from tests.faults.steps import BreakingOutbox, Steps

STATEMENT = "in the migration"  # between any two of its statements


class Carrier:
    """A transport that passes the steps around its request."""

    def __init__(self, transport: Any, steps: Steps) -> None:
        self._transport, self._steps = transport, steps
        self.send = partial(self._carry, transport.send)
        for name in ("send_again", "find"):
            if hasattr(transport, name):
                setattr(self, name, getattr(transport, name))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _carry(self, send: Any, message: Message) -> Any:
        self._steps.passing("before the request")
        provider_id = send(message)
        self._steps.passing("after the answer")
        return provider_id


def dies_at(step: str, number: int) -> Steps:
    """Steps of which this one is the last."""

    def fails(passed: str, times: int) -> None:
        if (passed, times) == (step, number):
            os.kill(os.getpid(), signal.SIGKILL)

    return Steps(fails)


def run(config: Path, now: datetime, step: str, number: int, words: list[str], log: Path) -> None:
    """Type a command in this process, which dies at that step."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    steps, clock, build = dies_at(step, number), VirtualClock(now), bootstrap.build_transport
    execute = schema._execute_all

    def migrate(db: Any, statements: str) -> None:
        for each in statements.split(";\n"):
            steps.passing(STATEMENT)
            execute(db, each)

    with (
        patch.object(bootstrap, "EmbeddedOutbox", partial(BreakingOutbox, steps=steps)),
        patch.object(bootstrap, "build_transport", lambda *a: Carrier(build(*a), steps)),
        patch.object(daemon, "SystemClock", lambda: clock),
        patch.object(context, "SystemClock", lambda: clock),
        patch.object(schema, "_execute_all", migrate),
    ):
        if words == ["migrate"]:
            store.create(config.parent / "reminderd.db")
            return
        from reminderd.cli import main

        sys.argv = ["reminderd", "--config", str(config), *words]
        main()


if __name__ == "__main__":
    where, instant, name, times, *command = sys.argv[1:]
    run(
        Path(where), datetime.fromisoformat(instant), name, int(times), command,
        Path(where).with_name("log"),
    )  # fmt: skip
