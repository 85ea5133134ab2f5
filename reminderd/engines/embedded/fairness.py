"""Who is due first where several clinics share the machine: none waits for another's thousands.

The index of what is due knows no clinic. So, where more is due than is asked for, all of it is read
now and then, put into the order in which the clinics take turns, and given out from memory.
"""

import json
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain, zip_longest
from typing import Any

from reminderd.engines.tables.rows import to_ms
from reminderd.engines.tables.store import THESE, Statements

ALONE_FOR = timedelta(minutes=1)  # so long nobody asks whether there is a second clinic by now
READ_A_SECOND = 10_000  # rows: what takes longer to read is read less often

_CLINICS = "SELECT count(*) FROM (SELECT DISTINCT clinic FROM patients LIMIT 2)"
_ALL_DUE = (
    "SELECT clinic, reminders.id FROM reminders CROSS JOIN patients "
    "ON patients.id = reminders.patient WHERE state = 'scheduled' AND wake_at <= ? {awake} "
    "ORDER BY wake_at"
)
_STILL_DUE = (
    f"SELECT id, patient FROM reminders WHERE id IN {THESE} "
    "AND state = 'scheduled' AND wake_at <= ?"
)

Awake = tuple[str, tuple[Any, ...]]  # a condition, and its parameters


class Line(threading.local):
    """Those who wait, in the order in which they are served; each thread has a line of its own."""

    def __init__(self, store: Statements) -> None:
        self._store = store
        self._line: list[int] = []  # reminders, the first at the end
        self._is_alone = False
        self._read_at: datetime | None = None
        self._holds_for = timedelta()
        self._awake: Awake = ("", ())

    def first(self, now: datetime, limit: int, awake: Awake) -> list[int] | None:
        """Patients of so many due reminders, the clinics in turns; None where there is one clinic.

        `awake` leaves out what cannot leave now.
        """
        for _ in range(2):
            if not self._holds(now, awake):
                self._read(now, awake)
            if self._is_alone:
                return None
            while self._line:
                if patients := self._served(now, limit):
                    return patients
            self._read_at = None  # it is used up
        return []

    def _holds(self, now: datetime, awake: Awake) -> bool:
        if self._read_at is None or awake != self._awake:
            return False
        return timedelta() <= now - self._read_at < self._holds_for

    def _read(self, now: datetime, awake: Awake) -> None:
        self._read_at, self._awake, self._line = now, awake, []
        self._is_alone = self._store.query(_CLINICS) < [(2,)]
        if self._is_alone:
            self._holds_for = ALONE_FOR
            return
        condition, parameters = awake
        by_clinic: dict[str, list[int]] = {}
        sql = _ALL_DUE.format(awake=condition)
        for clinic, reminder in self._store.query(sql, (to_ms(now), *parameters)):
            by_clinic.setdefault(clinic, []).append(reminder)
        turns = chain.from_iterable(zip_longest(*by_clinic.values()))
        self._line = [each for each in turns if each is not None][::-1]
        self._holds_for = timedelta(seconds=max(len(self._line) / READ_A_SECOND, 1))

    def _served(self, now: datetime, limit: int) -> list[int]:
        """Of the next ones in the line, the patients of those that wait as they did."""
        ids = self._line[: -limit - 1 : -1]
        del self._line[-limit:]
        rows: Sequence[tuple[Any, ...]] = self._store.query(
            _STILL_DUE, (json.dumps(ids), to_ms(now))
        )
        patients = dict(rows)
        return list(dict.fromkeys(patients[each] for each in ids if each in patients))
