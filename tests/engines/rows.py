"""People, sessions and reminders to keep in an outbox."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest

from reminderd import resources
from reminderd.engines.tables import soundness
from reminderd.engines.tables.outbox import TablesOutbox
from reminderd.findings import Level
from reminderd.interfaces import Claimed, NewMessage, Outbox, ReminderFilter, Rendered
from reminderd.model import Channel, Kind, Patient, Reminder, Session, State
from reminderd.protocols import ProtocolLibrary
from reminderd.sealing import Seal
from tests.core.build import at
from tests.core.desk import patient

NOW = at("2026-03-10 12:00")
HOUR = timedelta(hours=1)
LATER = NOW + timedelta(days=1, milliseconds=7)
EVERYTHING = ReminderFilter()
LIBRARY = ProtocolLibrary([resources.protocols_dir()])
SMS, EMAIL = Channel.SMS, Channel.EMAIL
SEAL = Seal(bytes(range(32)), "a test")
EITHER_WAY = pytest.mark.parametrize("seal", [None, SEAL], ids=["plain", "encrypted"])


def with_patient(outbox: Outbox, **facts: Any) -> Patient:
    with outbox.transaction():
        number, _ = outbox.reserve_ids(1, 0)
        stored = replace(patient(**facts), id=number)
        outbox.add_patients([stored], NOW)
    return stored


def with_session(outbox: Outbox, who: Patient, **facts: Any) -> Session:
    with outbox.transaction():
        protocol, document, _ = LIBRARY.find("mesotherapy")
        version = outbox.pin_protocol(protocol, document)
        _, number = outbox.reserve_ids(0, 1)
        stored = Session(
            who.id, protocol.key, protocol.revision, NOW, NOW, id=number, protocol_version=version
        )
        stored = replace(stored, **facts)
        outbox.add_sessions([stored])
    return stored


def a_reminder(session: Session, **facts: Any) -> Reminder:
    """A text that fell due an hour ago and expires in an hour."""
    due_at = facts.get("due_at", NOW - HOUR)
    waits = facts.get("state", State.SCHEDULED) is State.SCHEDULED
    given: dict[str, Any] = {
        "milestone": "no-shower",
        "occurrence": 1,
        "kind": Kind.RESTRICTION,
        "topics": frozenset({"shower"}),
        "template": "no-shower",
        "nominal_at": due_at or NOW,
        "expires_at": NOW + HOUR,
        "state": State.SCHEDULED,
        "first_planned_at": NOW - HOUR,
        "channel": SMS,
        "due_at": due_at,
        "wake_at": due_at if waits else None,
    }
    return Reminder(
        session_id=session.id,
        patient_id=session.patient_id,
        protocol=session.protocol,
        revision=session.revision,
        **{**given, **facts},
    )


def saved(outbox: Outbox, *reminders: Reminder) -> list[Reminder]:
    """As they were stored, in the order in which they were given."""
    with outbox.transaction():
        outbox.save_reminders(reminders)
    stored = {each.key: each for each in outbox.reminders(EVERYTHING)}
    return [stored[each.key] for each in reminders]


def one(outbox: Outbox, **facts: Any) -> Reminder:
    """A stored reminder of a new patient and session."""
    (stored,) = saved(outbox, a_reminder(with_session(outbox, with_patient(outbox)), **facts))
    return stored


def claimed(outbox: Outbox, reminder: Reminder) -> Claimed:
    assert reminder.patient_id is not None
    assert reminder.channel is not None
    wanted = NewMessage(reminder.patient_id, reminder.channel, "console", (reminder,))
    with outbox.transaction():
        (taken,) = outbox.claim([wanted], NOW)
    return taken


def marked(outbox: Outbox, reminder: Reminder) -> Claimed:
    taken = claimed(outbox, reminder)
    with outbox.transaction():
        outbox.mark([words(taken)], NOW)
    return taken


def words(taken: Claimed) -> Rendered:
    return Rendered(
        taken.attempt_id,
        taken.message_id,
        "+34600000001",
        "en",
        "A subject",
        "Words",
        "<p>Words</p>",
        1,
    )


def problems(outbox: TablesOutbox) -> list[str]:
    """What `db check` finds wrong with the rows."""
    found = [check(outbox) for check in soundness.CHECKS.values()]
    found.append(soundness.found(outbox, outbox.seal))
    if outbox.seal is not None:
        found.append(soundness.sealed(outbox, outbox.seal))
    return [each.message for each in chain(*found) if each.level is Level.PROBLEM]


def side_by_side(outbox: Outbox, count: int, work: Callable[[], object]) -> None:
    """Do the same in so many threads at once; raises what any of them raised."""

    def once() -> None:
        try:
            work()
        finally:
            outbox.close()

    with ThreadPoolExecutor(count) as pool:
        for each in [pool.submit(once) for _ in range(count)]:
            each.result(30)
