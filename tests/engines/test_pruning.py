"""The words of old messages go on the clinic's order, and nothing that is still needed."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from reminderd.audit import Action, broken
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.engines.tables import pruning
from reminderd.engines.tables.outbox import TablesOutbox
from reminderd.errors import Refused
from reminderd.interfaces import Decision, Prunable, Reply, Settlement
from reminderd.model import Outcome, Reason, Reminder, Session, State
from tests.engines.rows import (
    EITHER_WAY,
    NOW,
    a_reminder,
    claimed,
    marked,
    problems,
    saved,
    with_patient,
    with_session,
)

YEAR = 365
A_YEAR_LATER = NOW + timedelta(days=YEAR)
LATER = A_YEAR_LATER + timedelta(milliseconds=1)


@pytest.fixture
def session(outbox: TablesOutbox) -> Session:
    return with_session(outbox, with_patient(outbox))


def sent(outbox: TablesOutbox, session: Session, milestone: str = "no-shower") -> Reminder:
    """A reminder of the session whose message was accepted."""
    (reminder,) = saved(outbox, a_reminder(session, milestone=milestone))
    taken = marked(outbox, reminder)
    gone = reminder._replace(state=State.SENT, wake_at=None, sent_at=NOW)
    with outbox.transaction():
        outbox.settle([Settlement(taken.attempt_id, Outcome.ACCEPTED, (gone,), "p-1")], NOW)
    return gone


def pruned(outbox: TablesOutbox) -> bool:
    return outbox.prune(outbox.prunable(YEAR, LATER), YEAR, "Dr. Alba", LATER)


@EITHER_WAY
def test_the_words_go_and_what_became_of_them_stays(outbox: TablesOutbox, session: Session) -> None:
    reminder = sent(outbox, session)
    (before,) = outbox.correspondence(session.patient_id or 0)
    assert not before.is_wordless
    assert outbox.prunable(YEAR, LATER) == Prunable([before.id], 0)
    assert pruned(outbox)
    (after,) = outbox.correspondence(session.patient_id or 0)
    assert (after.to, after.subject, after.text, after.html) == (None,) * 4
    assert after.is_wordless
    assert (after.id, after.language, after.segments) == (before.id, "en", 1)
    assert outbox.reminder(reminder.id or 0) == reminder
    assert [each.provider_id for each in outbox.attempts(reminder.id or 0)] == ["p-1"]
    assert outbox.left(reminder.id or 0) == []
    assert outbox.prunable(YEAR, LATER) == Prunable([], 0)
    assert problems(outbox) == []


def test_of_a_reply_the_words_and_the_number_go_once_it_waits_for_nobody(
    outbox: TablesOutbox, session: Session
) -> None:
    with outbox.transaction():
        for number in (1, 2, 3):
            written = Reply(f"SM{number}", "+34600000001", "+34600000000", "Hello")
            outbox.keep_reply("twilio", written, NOW)
        outbox.reply_handled(1, Decision("thanks", for_staff=False), [1], NOW)
        outbox.reply_handled(2, Decision("staff"), [1], NOW)
    assert pruned(outbox)
    found = {each.id: (each.reply.sender, each.reply.text) for each in outbox.replies()}
    assert found.pop(1) == ("", "")
    assert set(found.values()) == {("+34600000001", "Hello")}
    (entry,) = [each.entry for each in outbox.trail() if each.entry.action == Action.PRUNED]
    assert entry.after == {"older_than": "365d", "messages": 0, "replies": 1}
    assert not outbox.prunable(YEAR, LATER).replies


def test_no_byte_of_the_words_stays_in_the_file(on_sqlite: EmbeddedOutbox) -> None:
    sent(on_sqlite, with_session(on_sqlite, with_patient(on_sqlite)))
    pruned(on_sqlite)
    for file in on_sqlite.path.parent.glob(f"{on_sqlite.path.name}*"):
        assert b"<p>Words</p>" not in file.read_bytes()


def test_what_is_not_older_stays(outbox: TablesOutbox, session: Session) -> None:
    sent(outbox, session)
    assert outbox.prunable(YEAR, A_YEAR_LATER) == Prunable([], 0)
    assert len(outbox.prunable(YEAR, LATER).messages) == 1


@pytest.mark.parametrize(
    "facts",
    [
        {"state": State.SCHEDULED},
        {"state": State.HELD, "reason": Reason.PAUSED},
        {"state": State.UNKNOWN},
        {"state": State.SKIPPED, "reason": Reason.SUPERSEDED, "needs_staff": True},
    ],
    ids=["scheduled", "held", "unknown", "needs-staff"],
)
def test_while_anything_of_the_treatment_is_open_all_its_words_stay(
    outbox: TablesOutbox, session: Session, facts: dict[str, object]
) -> None:
    sent(outbox, session)
    saved(outbox, a_reminder(session, milestone="massage", **facts))
    assert outbox.prunable(YEAR, LATER) == Prunable([], 1)


@pytest.mark.parametrize("hand_over", [claimed, marked])
def test_what_is_on_its_way_or_in_doubt_stays(
    outbox: TablesOutbox, session: Session, hand_over: object
) -> None:
    sent(outbox, session)
    (other,) = saved(outbox, a_reminder(session, milestone="massage"))
    assert callable(hand_over)
    hand_over(outbox, other)
    assert outbox.prunable(YEAR, LATER).messages == []
    with outbox.transaction():
        outbox.recover(NOW)
    assert outbox.prunable(YEAR, LATER).messages == []


def test_a_treatment_that_is_over_is_pruned_whatever_became_of_it(
    outbox: TablesOutbox, session: Session
) -> None:
    sent(outbox, session)
    saved(
        outbox,
        a_reminder(session, milestone="a", state=State.FAILED, reason=Reason.REJECTED),
        a_reminder(session, milestone="b", state=State.EXPIRED, reason=Reason.LATE),
        a_reminder(session, milestone="c", state=State.CANCELLED, reason=Reason.BY_STAFF),
    )
    assert len(outbox.prunable(YEAR, LATER).messages) == 1


def test_the_order_is_on_record_and_the_trail_whole(outbox: TablesOutbox, session: Session) -> None:
    sent(outbox, session)
    pruned(outbox)
    pruned(outbox)  # nothing is left to do, and to record
    (entry,) = [each.entry for each in outbox.trail() if each.entry.action == Action.PRUNED]
    assert (entry.by, entry.after) == ("Dr. Alba", {"older_than": "365d", "messages": 1})
    assert broken(outbox.trail(), outbox.trail_head()) is None


def test_it_goes_in_small_transactions_so_that_sending_goes_on(
    outbox: TablesOutbox,
    session: Session,
    another: Callable[[], TablesOutbox],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(5):
        sent(outbox, session, f"note-{number}")
    monkeypatch.setattr(pruning, "AT_ONCE", 2)
    turns: list[int] = []
    daemon = another()

    def breathe(_: float) -> None:
        with daemon.transaction():  # it gets its turn
            turns.append(len(daemon.prunable(YEAR, LATER).messages))

    monkeypatch.setattr("time.sleep", breathe)
    pruned(outbox)
    assert turns == [3, 1, 0]


def test_less_than_a_month_is_refused(outbox: TablesOutbox) -> None:
    with pytest.raises(Refused, match="at least 30 days"):
        outbox.prunable(29, LATER)
    assert outbox.prunable(30, LATER) == Prunable([], 0)
