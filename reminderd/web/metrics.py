"""Figures for Prometheus, from the database and the process; none of them tells of a person."""

import platform
from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from reminderd import __version__
from reminderd.interfaces import ReminderFilter
from reminderd.model import State
from reminderd.pulse import LATE_SECONDS
from reminderd.web.health import Health

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Counts since the process began; a registry of its own, so that nobody else's are told."""

    def __init__(self, health: Health) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Figures(health))

    def text(self) -> bytes:
        """All of them as they are now; asks the database."""
        return generate_latest(self._registry)


class _Figures(Collector):
    def __init__(self, health: Health) -> None:
        self._health = health
        self._outbox = health.outbox
        self._first = self._outbox.newest_attempt()

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: that would ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._sending()
        yield from self._waiting()
        yield from self._process()

    def _sending(self) -> Iterator[Metric]:
        vitals = self._outbox.vitals(self._first)
        messages = CounterMetricFamily(
            "reminderd_messages", "Hand-overs to a transport, by their outcome.",
            labels=["channel", "outcome"],
        )  # fmt: skip
        for (channel, outcome), count in sorted(vitals.outcomes.items()):
            messages.add_metric([channel, outcome], count)
        yield messages
        yield _gauge("reminderd_doubts", "Messages of which it is looked for.", vitals.doubts)
        replies = GaugeMetricFamily(
            "reminderd_replies", "What people wrote, all of it, by what was decided.",
            labels=["decision"],
        )  # fmt: skip
        for decision, count in sorted(vitals.replies.items()):
            replies.add_metric([decision], count)
        yield replies
        late = HistogramMetricFamily(
            "reminderd_lateness_seconds", "From due to accepted.", labels=["channel"]
        )
        ends = [*map(floatToGoString, LATE_SECONDS), "+Inf"]
        for name, found in sorted(self._health.pulse.lateness().items()):
            counts = zip(ends, accumulate(found.counts), strict=True)
            late.add_metric([name], list(counts), found.seconds)
        yield late

    def _waiting(self) -> Iterator[Metric]:
        now, counts = self._health.clock.now(), dict.fromkeys(State, 0)
        for (state, _), count in self._outbox.tally().items():
            counts[state] += count
        reminders = GaugeMetricFamily(
            "reminderd_reminders", "Reminders by state.", labels=["state"]
        )
        for state, count in counts.items():
            reminders.add_metric([state.value], count)
        yield reminders
        overdue = ReminderFilter(states=frozenset({State.SCHEDULED}), due_until=now)
        overdue_count = self._outbox.count_reminders(overdue)
        yield _gauge("reminderd_overdue", "Reminders that are due and wait.", overdue_count)
        resting = GaugeMetricFamily(
            "reminderd_transport_resting", "1 while a transport rests.", labels=["transport"]
        )
        for rest in self._health.resting():
            resting.add_metric([rest.transport], 1)
        yield resting

    def _process(self) -> Iterator[Metric]:
        age = self._health.pulse.age_seconds()
        if age is not None:
            yield _gauge("reminderd_beat_age_seconds", "Since the last look for what is due.", age)
        build = {"version": __version__, "python": platform.python_version()}
        yield InfoMetricFamily("reminderd_build", "What is running.", value=build)


def _gauge(name: str, said: str, value: float) -> Metric:
    return GaugeMetricFamily(name, said, value=value)
