"""What it means that a provider speaks of a message: evidence, and what became of it. Pure.

Contract, section 5: a callback with the attempt's random id settles doubt, and a receipt is raised
in its rank only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from reminderd.model import Chart, Outcome, Reason, Receipt, Reminder, State
from reminderd.outbox_values import Callback, Heard, Settlement
from reminderd.plan import WAITING, changes

_RANK: Mapping[str | None, int] = {
    None: 0,
    Receipt.QUEUED: 1,
    Receipt.SENT: 2,
    Receipt.DELIVERED: 3,
    Receipt.UNDELIVERED: 3,
    Receipt.FAILED: 3,
}


def contradicts(heard: Heard) -> bool:
    """Whether another message is on record as the one that this attempt led to."""
    known = heard.attempt.provider_id
    is_accepted = heard.attempt.outcome is Outcome.ACCEPTED
    return is_accepted and known not in (None, heard.callback.provider_id)


def evidence(heard: Heard) -> Settlement | None:
    """The attempt as accepted, with what it carried as sent; None where that is on record."""
    attempt, provider_id = heard.attempt, heard.callback.provider_id
    if attempt.outcome is Outcome.ACCEPTED and attempt.provider_id is not None:
        return None
    return Settlement(
        heard.attempt_id,
        Outcome.ACCEPTED,
        tuple(_sent(each, heard) for each in heard.reminders if _is_proven(each, heard)),
        provider_id=provider_id,
        error=attempt.error,
    )


def _is_proven(reminder: Reminder, heard: Heard) -> bool:
    """Whether it left in this message, for all that is known of it otherwise."""
    match reminder.state, reminder.reason:
        case ((State.SENDING | State.UNKNOWN), _):
            return reminder.id not in heard.overtaken
        case State.SENT, _:  # as staff have said
            return reminder.provider_id is None and reminder.id not in heard.overtaken
        case (State.FAILED, Reason.TEMPLATE) | (State.CANCELLED, Reason.ERASED):
            return False
    return True  # it waits to be tried again, or was given up: it must not leave twice


def _sent(reminder: Reminder, heard: Heard) -> Reminder:
    return reminder._replace(
        state=State.SENT,
        reason=None,
        channel=heard.attempt.channel,
        wake_at=None,
        sent_at=reminder.sent_at or heard.attempt.marked_at,
        provider_id=heard.callback.provider_id,
    )


def raised(reminders: Sequence[Reminder], told: Callback) -> list[Reminder]:
    """Those that left in this message and of which more is known from now on."""
    return [
        each._replace(receipt=told.receipt.value)
        for each in reminders
        if each.state is State.SENT and each.provider_id == told.provider_id
        if says_more(told.receipt, each.receipt)
    ]


def says_more(told: Receipt, known: str | None) -> bool:
    """Whether it is of a higher rank than the one on record."""
    return _RANK[told] > _RANK[known]


def gone_over(chart: Chart, undelivered: frozenset[int | None], now: datetime) -> list[Reminder]:
    """What changes in the plan where these reminders may leave once more, on another channel.

    Those that no other channel can carry in time stay as they are: sent, and not delivered.
    """
    planned = changes(_afresh(chart, undelivered), now)
    waiting = undelivered & {each.id for each in planned if each.state in WAITING}
    return planned if waiting == undelivered else gone_over(chart, waiting, now)


def _afresh(chart: Chart, ids: frozenset[int | None]) -> Chart:
    """As `expired` they are planned afresh, and the plan says whether they may still leave."""
    return replace(
        chart,
        reminders=tuple(
            each._replace(state=State.EXPIRED, reason=Reason.LATE) if each.id in ids else each
            for each in chart.reminders
        ),
    )
