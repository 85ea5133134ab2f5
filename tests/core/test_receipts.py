"""What a callback means for an attempt and its reminders, as tables."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminderd.interfaces import Callback, Heard
from reminderd.model import Attempt, Channel, Kind, Outcome, Reason, Receipt, Reminder, State
from reminderd.receipts import contradicts, evidence, raised
from tests.core.build import at

DUE = at("2026-03-10 10:00")
SID, OTHER = "SM1", "SM2"
RANK = {None: 0, "queued": 1, "sent": 2, "delivered": 3, "undelivered": 3, "failed": 3}


def reminder(state: str = "sending", reason: str | None = None, **facts: object) -> Reminder:
    known = Reminder(
        1, "care", 1, "note", 1, Kind.INFORM, frozenset({"note"}), "note", DUE,
        DUE + timedelta(hours=12), State(state), DUE, id=1, patient_id=1, channel=Channel.EMAIL,
        due_at=DUE, wake_at=DUE if state == "scheduled" else None,
        reason=Reason(reason) if reason else None,
    )  # fmt: skip
    return known._replace(**facts)  # type: ignore[arg-type]


def heard(
    *reminders: Reminder,
    outcome: str = "in-doubt",
    known: str | None = None,
    overtaken: bool = False,
) -> Heard:
    attempt = Attempt(
        7, Channel.SMS, "twilio", Outcome(outcome), DUE, DUE, DUE, known, None, "no whole answer"
    )
    told = Callback("token", SID, Receipt.SENT)
    later = frozenset({1} if overtaken else set[int]())
    return Heard(1, told, 1, 9, attempt, reminders, later)


@pytest.mark.parametrize(
    ("outcome", "known", "is_odd"),
    [
        ("accepted", SID, False), ("accepted", None, False), ("accepted", OTHER, True),
        ("in-doubt", None, False), ("temporary", None, False),
    ],
)  # fmt: skip
def test_only_another_message_on_record_contradicts(
    outcome: str, known: str | None, is_odd: bool
) -> None:
    assert contradicts(heard(reminder(), outcome=outcome, known=known)) is is_odd


@pytest.mark.parametrize("outcome", ["in-doubt", "temporary", "refused", "credentials"])
def test_whatever_was_known_of_the_attempt_it_was_accepted(outcome: str) -> None:
    found = evidence(heard(reminder(), outcome=outcome))
    assert found is not None
    assert (found.outcome, found.provider_id, found.attempt_id) == ("accepted", SID, 9)
    assert found.error == "no whole answer"


def test_what_is_on_record_is_not_written_again() -> None:
    assert evidence(heard(reminder("sent"), outcome="accepted", known=SID)) is None


@pytest.mark.parametrize(
    ("state", "reason", "is_sent", "is_sent_though_overtaken"),
    [
        ("sending", None, True, False),
        ("unknown", None, True, False),
        ("scheduled", None, True, True),
        ("held", "paused", True, True),
        ("expired", "late", True, True),
        ("failed", "rejected", True, True),
        ("skipped", "no-consent", True, True),
        ("cancelled", "by-staff", True, True),
        ("sent", None, True, False),
        ("failed", "template", False, False),
        ("cancelled", "erased", False, False),
    ],
)
def test_what_a_reminder_becomes_depends_on_what_else_is_known_of_it(
    state: str, reason: str | None, is_sent: bool, is_sent_though_overtaken: bool
) -> None:
    for overtaken, expected in ((False, is_sent), (True, is_sent_though_overtaken)):
        found = evidence(heard(reminder(state, reason), overtaken=overtaken))
        assert found is not None
        for each in found.reminders:
            assert (each.state, each.reason, each.wake_at) == ("sent", None, None)
            assert (each.channel, each.sent_at, each.provider_id) == (Channel.SMS, DUE, SID)
        assert len(found.reminders) == expected


@given(st.lists(st.sampled_from(list(Receipt)), max_size=8))
def test_in_whatever_order_they_come_a_receipt_only_rises(told: list[Receipt]) -> None:
    row, seen = reminder("sent", provider_id=SID), [None]
    for each in told:
        (row,) = raised([row], Callback(None, SID, each)) or [row]
        seen.append(row.receipt)
    assert all(RANK[before] <= RANK[after] for before, after in pairwise(seen))
    assert RANK[row.receipt] == max([0, *(RANK[each] for each in told)])
    final = [each for each in told if RANK[each] == 3]
    assert not final or row.receipt == final[0]


@pytest.mark.parametrize(
    "row", [reminder("sent", provider_id=OTHER), reminder("scheduled"), reminder("unknown")]
)
def test_a_receipt_is_for_what_left_in_that_message_alone(row: Reminder) -> None:
    assert raised([row], Callback(None, SID, Receipt.FAILED)) == []
