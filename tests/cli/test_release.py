"""`release`: sending is held, everybody is told, and somebody says that it goes on."""

from datetime import datetime, timedelta

import pytest

from reminderd import bootstrap, holding, stopped_texts
from reminderd.clock import SystemClock, VirtualClock
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.model import Channel
from tests.cli.desk import Clinic

WHY = "the database was restored from a backup"


@pytest.fixture
def held(clinic: Clinic) -> Clinic:
    """Ana was treated, what she is to be told is due, and sending is held."""
    now = SystemClock().now()  # the daemon's own
    clinic.clock = VirtualClock(now)
    clinic.enrols((now - timedelta(minutes=30)).isoformat())
    outbox = EmbeddedOutbox(clinic.folder / "config" / "reminderd.db")
    with outbox.transaction():
        holding.hold(outbox, "restored", WHY, now)
    outbox.close()
    return clinic


def test_nothing_is_sent_and_everybody_is_told_why(held: Clinic) -> None:
    once = held.types("run", "--once")
    assert once.exit_code == 5
    assert WHY in once.stderr
    assert "reminderd release" in once.stderr
    assert held.outbox == []
    status = held.data("status")
    (hold,) = status["holds"]
    assert (hold["cause"], hold["why"]) == ("restored", WHY)
    assert held.clock.now() - datetime.fromisoformat(hold["since"]) < timedelta(seconds=1)
    assert status["staff"][0]["do"] == "reminderd release"
    assert held.data("today")["staff"][0]["why"] == f"nothing is sent: {WHY}"
    assert WHY in held.says("status")
    check = held.types("check")
    assert check.exit_code == 1
    assert WHY in check.output


def test_without_a_terminal_it_is_released_only_by_yes(held: Clinic) -> None:
    asked = held.types("release")
    assert asked.exit_code == 2
    assert "--yes" in asked.stderr
    assert held.data("status")["holds"]


def test_once_released_what_is_due_leaves(held: Clinic) -> None:
    released = held.types("release", "--yes", "--by", "Dr. Alba")
    assert released.exit_code == 0
    assert WHY in released.stderr
    assert "1 by sms" in released.stderr
    held.says("run", "--once")
    assert len(held.outbox) == 1


def test_a_script_reads_what_it_let_go(held: Clinic) -> None:
    said = held.data("release", "--yes")
    assert [each["cause"] for each in said["released"]] == ["restored"]
    assert said["leaving"] == {"sms": 1}
    assert held.data("release") == {"released": [], "leaving": {}}


def test_simulation_and_dry_run_show_what_would_be_sent(held: Clinic) -> None:
    assert len(held.lines("run", "--dry-run", "--once")) == 1
    until = (held.clock.now() + timedelta(hours=1)).isoformat()
    assert held.lines("simulate", "--until", until)
    assert held.data("status")["holds"]


def test_a_text_that_a_provider_refused_leaves_at_a_persons_word(clinic: Clinic) -> None:
    house = bootstrap.open_house(bootstrap.load_settings(clinic.config, {}))
    with house.outbox.transaction():
        stopped_texts.stop(
            house.outbox,
            house.practice.texts,
            ["spf"],
            Channel.SMS,
            "twilio: 30007: filtered",
            SystemClock().now(),
        )
    house.outbox.close()
    (waiting,) = clinic.data("status")["staff"]
    assert (waiting["what"], waiting["id"]) == ("text", "spf")
    assert "twilio: 30007: filtered" in waiting["why"]
    released = clinic.types("release", "--yes", "--by", "Dr. Alba")
    assert "text spf refused by twilio: 30007: filtered" in released.stderr
    assert clinic.data("status")["staff"] == []
    assert "spf (sms)" in clinic.says("audit", "--json")
