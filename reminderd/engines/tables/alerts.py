"""Who at the clinic is to be told of what, and was. Whom, and why not, is sealed."""

import json
from collections.abc import Callable, Collection
from datetime import datetime

from reminderd.alert_book import Alert
from reminderd.engines.tables.incidents import IncidentBook
from reminderd.engines.tables.rows import from_ms, from_ms_or_none, to_ms, to_ms_or_none
from reminderd.engines.tables.store import WORDS
from reminderd.sealing import Places, Row, Seal, closed, opened, places, readable

_ALL = "id, key, recipient, created_at, wake_at, tries, sent_at, error"
_SEALED_IN_ALL = places("alerts", _ALL)
_NEW = "id, key, place, recipient, created_at, wake_at"
_SEALED_IN_NEW = places("alerts", _NEW)
_CHANGED = "created_at, wake_at, tries, sent_at, error, id"
_SEALED_IN_CHANGED = places("alerts", _CHANGED)
Read = Callable[[Row, Places, object, Seal | None], Row]


class AlertBook(IncidentBook):
    """The part of the outbox that remembers alerts; implements `alert_book.AlertBook`."""

    def known_alerts(self, keys: Collection[str]) -> frozenset[str]:
        rows = self.query(
            f"SELECT DISTINCT key FROM alerts WHERE key IN {WORDS}",
            (json.dumps(list(keys)),),
        )
        return frozenset(row[0] for row in rows)

    def add_alert(self, key: str, recipients: Collection[str], now: datetime) -> None:
        if self.known_alerts([key]):
            return
        first = self.reserve("alerts", len(recipients))
        for place, recipient in enumerate(recipients):
            row = (first + place, key, place, recipient, to_ms(now), to_ms(now))
            self.execute(
                f"INSERT INTO alerts ({_NEW}) VALUES (?, ?, ?, ?, ?, ?)",
                closed(row, _SEALED_IN_NEW, first + place, self.seal),
            )

    def waiting_alerts(self, now: datetime) -> list[Alert]:
        return self._alerts(
            # What was added later than now, was added while the clock was wrong.
            "WHERE wake_at <= ? OR (wake_at IS NOT NULL AND created_at > ?) ORDER BY id",
            to_ms(now),
            to_ms(now),
            read=readable,
        )

    def keep_alert(self, alert: Alert) -> None:
        row = (
            to_ms(alert.created_at), to_ms_or_none(alert.wake_at), alert.tries,
            to_ms_or_none(alert.sent_at), alert.error, alert.id,
        )  # fmt: skip
        self.execute(
            "UPDATE alerts SET created_at = ?, wake_at = ?, tries = ?, sent_at = ?, error = ? "
            "WHERE id = ?",
            closed(row, _SEALED_IN_CHANGED, alert.id, self.seal),
        )

    def alerts(self, about: str) -> list[Alert]:
        return self._alerts("WHERE substr(key, 1, ?) = ? ORDER BY id", len(about), about)

    def untold_alerts(self) -> list[Alert]:
        return self._alerts("WHERE wake_at IS NOT NULL AND tries > 0 ORDER BY id")

    def _alerts(self, where: str, *parameters: object, read: Read = opened) -> list[Alert]:
        rows = self.query(f"SELECT {_ALL} FROM alerts {where}", parameters)
        return [
            Alert(
                row[0], row[1], row[2] or "", from_ms(row[3]), from_ms_or_none(row[4]), row[5],
                from_ms_or_none(row[6]), row[7],
            )
            for row in (read(each, _SEALED_IN_ALL, each[0], self.seal) for each in rows)
        ]  # fmt: skip
