"""A real process that is killed (SIGKILL) at the N-th passing of a named step.

    python -m tests.faults.crash CONFIG INSTANT STEP N COMMAND…

Runs the command line with the wall clock at INSTANT. Nothing of this is in the product: the outbox
and the transports of this process are wrapped here.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from reminderd import bootstrap, daemon
from reminderd.cli import context
from reminderd.clock import VirtualClock
from reminderd.engines.embedded import backup, encrypting, loop, outbox, restoring, schema, store
from reminderd.engines.tables import resealing
from reminderd.model import Message
from reminderd.render import Renderer
from tests.faults.forks import Job
from tests.faults.steps import BreakingOutbox, Steps

MIGRATE = "migrate"  # typed as if it were a command
STATEMENT = "in the migration"  # between any two of its statements
COPYING = "in the copy"  # between any two pages
AROUND = {  # what is passed before and after, and where it is called from
    "the copy": [(backup, "copy_verified"), (restoring, "copy_verified")],
    "the new name": [(backup, "in_place"), (restoring, "in_place")],
    "the keeping": [(restoring, "_keep")],
    "the sealing of a table": [(resealing, "_reseal")],
    "the finish": [(encrypting, "finish")],
}


_packaged = cache(bootstrap.renderer)  # read once for all forks


def _packaged_texts(_: object) -> Renderer:
    return _packaged(None)


class Carrier:
    """A transport that passes the steps around its request."""

    def __init__(self, transport: Any, steps: Steps) -> None:
        self._transport, self._steps = transport, steps
        self.send = partial(self._carry, transport.send)
        for name in ("send_again", "find", "be_called_at", "status"):
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


def run(job: Job) -> None:
    """Type a command in this process, which dies at that step."""
    steps = dies_at(job.step, job.number)
    with _wrapped(steps, VirtualClock(job.now)):
        if job.words == (MIGRATE,):
            store.create(job.config.parent / "reminderd.db")
            return
        from reminderd.cli import main

        sys.argv = ["reminderd", "--config", str(job.config), *job.words]
        main()


@contextmanager
def _wrapped(steps: Steps, clock: VirtualClock) -> Iterator[None]:
    """The product of this process, by that clock and with those steps."""
    build = bootstrap.build_transport
    replaced: list[tuple[Any, str, Any]] = [
        (outbox, "EmbeddedOutbox", partial(BreakingOutbox, steps=steps)),
        (bootstrap, "build_transport", lambda *given: Carrier(build(*given), steps)),
        (daemon, "SystemClock", lambda: clock),
        (context, "SystemClock", lambda: clock),
        (schema, "_execute_all", partial(_statement_by_statement, schema._execute_all, steps)),
        (backup, "connect", partial(_page_by_page, backup.connect, steps)),
        (loop, "LOOK_OUT_SECONDS", 0.02),
        (bootstrap, "renderer", _packaged_texts),
    ]
    for what, places in AROUND.items():
        for module, name in places:
            replaced.append((module, name, _around(getattr(module, name), what, steps)))
    with ExitStack() as undone:
        for module, name, put in replaced:
            undone.enter_context(patch.object(module, name, put))
        yield


def _around(call: Callable[..., Any], what: str, steps: Steps) -> Callable[..., Any]:
    def passes(*given: Any, **more: Any) -> Any:
        steps.passing(f"before {what}")
        done = call(*given, **more)
        steps.passing(f"after {what}")
        return done

    return passes


def _statement_by_statement(execute: Any, steps: Steps, db: Any, statements: str) -> None:
    for each in statements.split(";\n"):
        steps.passing(STATEMENT)
        execute(db, each)


class _PageByPage:
    """A connection whose backup passes a step at each page."""

    def __init__(self, connection: Any, steps: Steps) -> None:
        self.connection, self._steps = connection, steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)

    def backup(self, target: "_PageByPage") -> None:
        self.connection.backup(
            target.connection, pages=1, progress=lambda *_: self._steps.passing(COPYING)
        )


def _page_by_page(connect: Any, steps: Steps, *given: Any, **more: Any) -> _PageByPage:
    return _PageByPage(connect(*given, **more), steps)


if __name__ == "__main__":
    where, instant, name, times, *command = sys.argv[1:]
    run(Job(Path(where), datetime.fromisoformat(instant), tuple(command), name, int(times)))
