"""The part of the store that keeps apart what several do at once, on one machine or on many; and
who they are."""

from collections.abc import Collection
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from reminderd.pace import Pace

NOT_KEPT = timedelta()


class Worker(NamedTuple):
    """One process of a cluster that sends.

    It was heard of `seen` ago. `trouble` is why it sends nothing though others do; empty where it
    does.
    """

    id: int
    name: str
    since: datetime
    seen: timedelta
    trouble: str = ""


class UnitsOfWork(Protocol):
    """`transaction` is for what is rare, or reads what is about nobody in particular: intake,
    staff, decisions. `beside` is for what is hot and about patients whom it reads (claims, marks,
    outcomes), or only adds (what providers tell).
    """

    def transaction(self) -> AbstractContextManager[None]:
        """One exclusive unit of work: all of it is durable at the end, or none.

        Inside another one it is a part of that.
        """
        ...

    def beside(self) -> AbstractContextManager[None]:
        """A unit of work that may run beside others' in a cluster; all of it is durable, or none.

        Whatever it reads of a patient is its own until it ends. What waits for anything else has
        to be read again inside. Where there is one machine it is `transaction`.
        """
        ...

    def turn(self, name: str, kept: timedelta = NOT_KEPT) -> AbstractContextManager[bool]:
        """True where nobody else in the cluster has that turn now; outside a unit of work.

        Nobody else gets it until the `with` ends and for `kept` after that, or until this process
        is dead. It is for peace alone: what is done in a turn has to be right without it. Where
        there is one machine it is always true.
        """
        ...

    def pace(self, transport: str, per_second: float) -> Pace:
        """At most so many messages a second by that transport, of all who send from this store."""
        ...

    def trial(self) -> AbstractContextManager[None]:
        """A unit of work that is undone at its end, to see what it would have led to."""
        ...

    def lock_patients(self, patient_ids: Collection[int]) -> None:
        """Until the unit of work ends nobody else changes anything about these patients."""
        ...

    def workers(self) -> list[Worker]:
        """Everybody who sends from this store together with others; nobody on one machine."""
        ...
