"""What an import will cause, in numbers and in the words of its first messages."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import nsmallest

from reminderd.errors import TemplateFailed
from reminderd.importing import Prepared, Upcoming, without_collecting
from reminderd.model import Channel, Kind, Reason, Reminder, State
from reminderd.opening import everything, may_open, plan_to_copy
from reminderd.plan import WAITING
from reminderd.practice import item
from reminderd.render import Composed, Renderer

FIRST = 10
MOST_RENDERED = 1000
_ORDER = list(Kind)


@dataclass(frozen=True)
class Forecast:
    """What will be stored and sent. `segments` counts SMS; it is extrapolated unless `exact`.

    `first` are the earliest messages with their texts. `unwritable` says which templates failed.
    """

    new_patients: int
    known_patients: int
    new_sessions: int
    by_milestone: Mapping[str, int]
    messages: int
    segments: int
    exact: bool
    first: tuple[tuple[Upcoming, Composed], ...]
    left_out: Mapping[Reason, int]
    held: Mapping[Reason, int]
    unapproved: Mapping[str, int]
    unwritable: tuple[str, ...]


def of(prepared: Sequence[Prepared], renderer: Renderer, now: datetime) -> Forecast:
    """What these will cause; of many messages some are rendered, evenly chosen."""
    with without_collecting():
        return _of(prepared, renderer, now)


def _of(prepared: Sequence[Prepared], renderer: Renderer, now: datetime) -> Forecast:
    reminders = [each for one in prepared for each in one.reminders]
    departures = [_departures(one, now) for one in prepared]
    total = sum(map(len, departures))
    sampled = prepared
    if total > MOST_RENDERED:
        sampled = _evenly(prepared, len(prepared) * MOST_RENDERED // total)
    sample = [each for one in sampled for each in _leaving(one, now)]
    first = _first(zip(prepared, departures, strict=True), now)
    texts, unwritable = _written([*first, *sample], renderer)
    segments = sum(
        text.size.segments for each in sample if (text := texts.get(id(each))) and text.size
    )
    return Forecast(
        new_patients=sum(each.is_new for each in prepared),
        known_patients=sum(not each.is_new for each in prepared),
        new_sessions=sum(len(each.sessions) for each in prepared),
        by_milestone=Counter(each.milestone for each in reminders if each.state in WAITING),
        messages=total,
        segments=round(segments * total / len(sample)) if sample else 0,
        exact=total <= MOST_RENDERED,
        first=tuple((each, texts[id(each)]) for each in first if id(each) in texts),
        left_out=_reasons(reminders, State.SKIPPED),
        held=_reasons(reminders, State.HELD),
        unapproved=Counter(r.protocol for r in reminders if r.reason is Reason.UNAPPROVED),
        unwritable=unwritable,
    )


Departure = tuple[datetime, Channel | None]


def _departures(one: Prepared, now: datetime) -> set[Departure]:
    """When and how something leaves for the patient: each is one message."""
    return {
        (each.due_at if each.due_at > now else now, each.channel)
        for each in one.reminders
        if each.state in WAITING and each.due_at is not None
    }


def _first(departing: Iterable[tuple[Prepared, set[Departure]]], now: datetime) -> list[Upcoming]:
    """The earliest messages of all: they are of the patients who hear of us first."""
    ahead = [(min(at for at, _ in times), one) for one, times in departing if times]
    soonest = nsmallest(FIRST, ahead, key=lambda each: each[0])
    messages = (each for _, one in soonest for each in _leaving(one, now))
    return sorted(messages, key=lambda each: each.at)[:FIRST]


def _leaving(one: Prepared, now: datetime) -> Iterator[Upcoming]:
    """The patient's messages: what is overdue goes out at once, together."""
    planned = {each.key: each for each in (*one.chart.reminders, *one.reminders)}
    chart = replace(one.chart, reminders=tuple(planned.values()))
    together: dict[tuple[datetime, Channel], list[Reminder]] = {}
    for each in one.messages():
        together.setdefault((max(each.at, now), each.channel), []).extend(each.reminders)
    for (at, channel), reminders in together.items():
        ordered = sorted(reminders, key=lambda each: (_ORDER.index(each.kind), each.milestone))
        yield Upcoming(at, chart, channel, tuple(ordered))


def _evenly(prepared: Sequence[Prepared], count: int) -> Sequence[Prepared]:
    return [prepared[n * len(prepared) // max(count, 1)] for n in range(max(count, 1))]


def _written(
    messages: Sequence[Upcoming], renderer: Renderer
) -> tuple[dict[int, Composed], tuple[str, ...]]:
    """The texts by the identity of their message, and what could not be written."""
    texts: dict[int, Composed] = {}
    unwritable: dict[str, None] = {}
    for each in messages:
        chart = each.chart
        items = [found for r in each.reminders if (found := item(chart, r))]
        mailed = each.channel is Channel.EMAIL and may_open(chart, each.reminders)
        plan = plan_to_copy(items, everything(chart)) if mailed else ()
        try:
            texts[id(each)] = renderer.compose(
                items, chart.patient, chart.clinic, each.channel, plan
            )
        except TemplateFailed as error:
            unwritable[error.message] = None
    return texts, tuple(unwritable)


def _reasons(reminders: Sequence[Reminder], state: State) -> dict[Reason, int]:
    counts = Counter(each.reason for each in reminders if each.state is state and each.reason)
    return {reason: count for reason, count in counts.most_common() if reason is not None}
