"""What either engine promises of its database as a whole."""

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from reminderd.engine import Engine
from reminderd.engines.embedded.engine import Embedded
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.errors import ConfigurationError, TryAgainLater
from reminderd.findings import Level
from reminderd.interfaces import Outbox
from reminderd.model import State
from reminderd.sealing import Seal
from tests.engines.rows import EVERYTHING, LATER, NOW, SEAL, one, with_patient
from tests.waiting import until

OTHER = Seal(bytes(32), "another file")
At = Callable[..., Engine]


@pytest.fixture(params=["sqlite", "postgresql"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> At:
    """Gives the engine at one place, where there is no database yet; by the key that is named."""
    if request.param == "sqlite":
        return lambda seal=None: Embedded(tmp_path / "reminderd.db", seal)
    from reminderd.engines.distributed.engine import Distributed

    url = request.getfixturevalue("cluster").empty()
    return lambda seal=None: Distributed(url, seal)


def told(engine: Engine, *, of: Level = Level.PROBLEM) -> list[str]:
    return [each.message for each in engine.examine() if each.level is of]


def filled(engine: Engine) -> tuple[object, ...]:
    """What the database holds once somebody was enrolled."""
    engine.prepare()
    with closing(engine.open()) as outbox:
        one(outbox)
        with_patient(outbox, name="Bo", ref="B-2")
        return held(outbox)


def held(outbox: Outbox) -> tuple[object, ...]:
    return outbox.patients(), outbox.sessions(), outbox.reminders(EVERYTHING)


# There or not ------------------------------------------------------------------------------------


def test_it_is_made_once(at: At) -> None:
    assert not at().exists()
    assert at().prepare()
    assert at().exists()
    assert at().prepare() is None
    assert at().migrate() is None
    assert told(at()) == []


def test_what_is_not_there_is_not_brought_up_to_date(at: At) -> None:
    with pytest.raises(ConfigurationError) as caught:
        at().migrate()
    assert "reminderd init" in str(caught.value.remedy)
    assert not at().exists()
    with pytest.raises(ConfigurationError) as caught:
        at().open()
    assert "reminderd init" in str(caught.value.remedy)


def test_what_was_kept_is_there_again(at: At) -> None:
    before = filled(at())
    with closing(at().open()) as outbox:
        assert held(outbox) == before


def test_every_database_has_a_name_of_its_own(at: At) -> None:
    """By it, a message is told from those of another one by the same provider."""
    filled(at())
    with closing(at().open()) as outbox:
        name = outbox.note("installation")
    assert name is not None
    assert re.fullmatch("[0-9a-f]{12}", name)
    at().reseal(None, SEAL)
    with closing(at(SEAL).open()) as outbox:
        assert outbox.note("installation") == name


# Looking -----------------------------------------------------------------------------------------


def test_the_roll_names_everybody_but_the_erased_in_the_order_in_which_they_came(at: At) -> None:
    filled(at())
    with closing(at().open()) as outbox:
        vera, bo = outbox.patients()
        erased = with_patient(outbox, name="Cy")
        with outbox.transaction():
            outbox.update_patient(replace(vera, paused=True), LATER)
            outbox.erase(erased, LATER)
    first, second = at().roll()
    assert (first.id, first.given_name, first.phone, first.paused) == (
        vera.id, vera.given_name, vera.phone, 1,
    )  # fmt: skip
    assert (second.id, second.ref, second.given_name, second.clinic) == (
        bo.id, "B-2", "Bo", "main",
    )  # fmt: skip


def test_a_copy_has_everything_and_is_apart(at: At, tmp_path: Path) -> None:
    before = filled(at(SEAL))
    at(SEAL).copy(tmp_path / "copy.db")
    with closing(EmbeddedOutbox(tmp_path / "copy.db", seal=SEAL, durable=False)) as copy:
        assert held(copy) == before
        reminder = copy.reminders(EVERYTHING)[0]
        with copy.transaction():
            copy.save_reminders([reminder._replace(state=State.UNKNOWN, wake_at=None)])
        with_patient(copy)
    with closing(at(SEAL).open()) as outbox:
        assert held(outbox) == before


def test_its_mark_is_another_one_once_something_has_changed(at: At) -> None:
    filled(at())
    with closing(at().open()) as outbox, at().changes() as mark:
        before = mark()
        with_patient(outbox)
        until(lambda: mark() != before, "another mark")


def test_rows_that_contradict_each_other_are_found(at: At) -> None:
    filled(at())
    assert told(at()) == []
    with closing(at().open()) as outbox, outbox.transaction():
        (reminder,) = outbox.reminders(EVERYTHING)
        outbox.save_reminders([reminder._replace(state=State.SENT, wake_at=None)])
    assert told(at()) == [f"rem-{reminder.id}: sent, and no accepted message with it"]


# Who sends ---------------------------------------------------------------------------------------


def test_it_is_known_whether_anybody_sends(at: At) -> None:
    filled(at())
    assert not at().is_running()
    with at().on_duty(NOW, UTC) as duty:
        assert at().is_running()
        assert len(duty.outbox.patients()) == 2
    assert not at().is_running()


# Keys --------------------------------------------------------------------------------------------


def test_it_is_sealed_from_the_start_and_opens_by_its_key_alone(at: At) -> None:
    before = filled(at(SEAL))
    for wrong in (None, OTHER):
        with pytest.raises(ConfigurationError, match="key"):
            at(wrong).open()
        with pytest.raises(ConfigurationError, match="key"):
            at(wrong).roll()
    with closing(at(SEAL).open()) as outbox:
        assert held(outbox) == before
    assert [each.given_name for each in at(SEAL).roll()] == ["Vera", "Bo"]


def test_it_goes_over_to_a_key_and_to_another_and_back(at: At) -> None:
    before = filled(at())
    for old, new in ((None, SEAL), (SEAL, OTHER), (OTHER, None)):
        assert at(old).reseal(old, new).changed
        assert told(at(new)) == []
        with closing(at(new).open()) as outbox:
            assert held(outbox) == before
            assert [each.given_name for each in outbox.patients() if each.ref == "B-2"] == ["Bo"]


def test_no_key_is_changed_while_somebody_sends(at: At) -> None:
    filled(at())
    with at().on_duty(NOW, UTC), pytest.raises(TryAgainLater):
        at().reseal(None, SEAL)
    with closing(at().open()) as outbox:
        assert len(outbox.patients()) == 2
