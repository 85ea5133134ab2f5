"""Which check-in a reply belongs to is found at once, however many patients there are."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from reminderd.engines.embedded.outbox import EmbeddedOutbox
from tests.engines.rows import NOW

ASKS: dict[str, Callable[[EmbeddedOutbox], object]] = {
    "for a reply": lambda outbox: outbox.questions_to([1], NOW, NOW),
    "of a reply": lambda outbox: outbox.question(1),
    "without any": lambda outbox: outbox.silent_check_ins(NOW),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_no_table_is_read_as_a_whole(
    outbox: EmbeddedOutbox, monkeypatch: pytest.MonkeyPatch, ask: Callable[[EmbeddedOutbox], object]
) -> None:
    query, steps = outbox.query, list[str]()

    def explained(sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        steps.extend(row[3] for row in query(f"EXPLAIN QUERY PLAN {sql}", parameters))
        return query(sql, parameters)

    monkeypatch.setattr(outbox, "query", explained)
    ask(outbox)
    assert any("reminders" in each for each in steps)
    assert [each for each in steps if each.startswith("SCAN") and "json_each" not in each] == []
