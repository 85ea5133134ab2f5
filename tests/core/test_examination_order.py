"""Whoever runs the check twice reads the same, line by line."""

from datetime import UTC, datetime

from reminderd.examination.every_minute import Trials, trial_days
from reminderd.examination.messages import bundles, timetables
from reminderd.protocols import ProtocolLibrary
from reminderd.resources import protocols_dir
from reminderd.sample import CLINIC


def test_what_leaves_together_is_told_in_the_same_order_every_time() -> None:
    protocol = ProtocolLibrary([protocols_dir()]).find("mesotherapy").protocol
    ordinary = trial_days(CLINIC.timezone, datetime(2026, 3, 1, tzinfo=UTC))[0]
    trials = [Trials(CLINIC, ordinary)]
    tables = [timetables(protocol, trials) for _ in range(5)]  # all kept: each in its own place
    told = {tuple(tuple(each.id for each in one) for one in bundles(table)) for table in tables}
    assert len(told) == 1
