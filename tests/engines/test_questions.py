"""Which check-in a reply belongs to is found at once, however many patients there are."""

from collections.abc import Callable, Sequence

import pytest

from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.engines.tables.store import Row
from tests.engines.database_files import read_whole
from tests.engines.rows import NOW

ASKS: dict[str, Callable[[EmbeddedOutbox], object]] = {
    "for a reply": lambda outbox: outbox.questions_to([1], NOW, NOW),
    "of a reply": lambda outbox: outbox.question(1),
    "without any": lambda outbox: outbox.silent_check_ins(NOW),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=ASKS)
def test_no_table_is_read_as_a_whole(
    on_sqlite: EmbeddedOutbox,
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[EmbeddedOutbox], object],
) -> None:
    query, asked = on_sqlite.query, list[tuple[str, Sequence[object]]]()

    def noted(sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        asked.append((sql, parameters))
        return query(sql, parameters)

    monkeypatch.setattr(on_sqlite, "query", noted)
    ask(on_sqlite)
    monkeypatch.undo()
    assert any("reminders" in sql for sql, _ in asked)
    assert [each for sql, given in asked for each in read_whole(on_sqlite, sql, given)] == []
