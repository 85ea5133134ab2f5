"""Which mail opens a session's aftercare, and so carries the patient's copy of the whole plan."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from reminderd.model import Channel, Chart, Reason, Reminder, State
from reminderd.practice import item
from reminderd.render import Item

_STANDS = frozenset({State.SCHEDULED, State.SENDING, State.SENT, State.UNKNOWN})


def may_open(chart: Chart, reminders: Iterable[Reminder]) -> bool:
    """Whether one of these is wanted at the very instant of its treatment."""
    instants = {each.id: each.at for each in chart.sessions}
    return any(each.nominal_at == instants[each.session_id] for each in reminders)


def everything(chart: Chart) -> list[Item]:
    """All of the patient's reminders, with what their texts may speak of."""
    return [found for each in chart.reminders if (found := item(chart, each)) is not None]


def plan_to_copy(mail: Sequence[Item], whole: Sequence[Item]) -> list[Item]:
    """What a mail tells of the `whole` plan: nothing, unless it opens a session.

    It opens one with the first aftercare that goes by mail and is wanted at the instant of the
    treatment. Then this is all that the patient hears of, in any session, from that instant on.
    """
    opened = _opened(mail, whole) if whole else []
    if not opened:
        return []
    start = min(each.session.at for each in opened)
    # A forecast speaks of mails that are still held; what is held for the same is freed with them.
    held_alike = {_hold(each) for each in mail} - {None}
    return [
        each
        for each in whole
        if (each.reminder.state in _STANDS or _hold(each) in held_alike)
        and _lies_ahead(each, start)
    ]


def _hold(item: Item) -> tuple[int | None, Reason | None] | None:
    """For what a session's reminder is held; None where it is not."""
    held = item.reminder.state is State.HELD
    return (item.session.id, item.reminder.reason) if held else None


def _opened(mail: Sequence[Item], whole: Sequence[Item]) -> list[Item]:
    sent = {each.reminder.key for each in mail}
    told = {
        each.session.id
        for each in whole
        if each.reminder.state is State.SENT
        and each.reminder.channel is Channel.EMAIL
        and not each.milestone.is_pre_care
        and each.reminder.key not in sent
    }
    return [
        each
        for each in mail
        if each.reminder.nominal_at == each.session.at
        and not each.milestone.is_pre_care
        and each.session.id not in told
    ]


def _lies_ahead(item: Item, start: datetime) -> bool:
    if item.until is not None:
        return item.until > start
    return (item.reminder.due_at or item.reminder.nominal_at) >= start
