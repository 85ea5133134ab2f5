"""/readyz and /metrics: how it goes, in plain words and in figures, and to this machine alone."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from reminderd import web
from reminderd.engines.embedded import connection
from reminderd.errors import InDoubt, WrongAddress
from reminderd.holding import hold
from reminderd.pulse import Pulse
from reminderd.resting import Rest, rest
from reminderd.web import health, site
from tests.core.build import at
from tests.core.desk import NOTE, Desk, Post
from tests.fakes.twilio_calls import Answer, ask
from tests.web.line import Line, open_line, receiver


class Seconds:
    """The clock that nobody can set; the tests do."""

    value = 1000.0

    def __call__(self) -> float:
        return self.value


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, at("2026-03-10 08:00"))
    desk.protocol(NOTE)
    yield desk
    desk.close()


@pytest.fixture
def line(desk: Desk, seconds: Seconds) -> Iterator[Line]:
    pulse = Pulse(seconds)
    pulse.beat("0")
    shown = web.Shown(pulse, desk.house.practice.routes)
    with open_line(desk, shown=shown) as line:
        yield line


class Listed(Post):
    """A provider with a list, in which nothing is found."""

    def find(self, to: str, text: str, since: datetime) -> list[str]:
        return []


def ready(line: Line) -> tuple[int, str]:
    answer = ask("GET", "/readyz", line.port)
    return answer.status, answer.body.decode()


def figures(answer: Answer) -> dict[tuple[str, ...], float]:
    """Each sample by its name and the values of its labels."""
    assert answer.status == 200, answer.body
    families = text_string_to_metric_families(answer.body.decode())
    return {
        (each.name, *each.labels.values()): each.value
        for family in families
        for each in family.samples
    }


# Ready --------------------------------------------------------------------------------------------


def test_it_is_ready_while_somebody_looks_and_nothing_is_late(line: Line) -> None:
    assert ready(line) == (200, "ready\n")


def test_it_is_not_ready_once_nobody_has_looked_for_a_minute(line: Line, seconds: Seconds) -> None:
    seconds.value += 60
    assert ready(line)[0] == 200
    seconds.value += 15
    assert ready(line) == (503, "the last look for what is due was 75 s ago\n")


def test_the_one_who_was_silent_for_longest_counts(seconds: Seconds) -> None:
    pulse = Pulse(seconds)
    assert pulse.age_seconds() is None
    for who in ("0", "1"):
        pulse.beat(who)
        seconds.value += 10
    assert pulse.age_seconds() == 20


def test_it_is_not_ready_while_something_that_could_leave_is_late(line: Line, desk: Desk) -> None:
    desk.treat(desk.patient(), "2026-03-10 09:00")
    desk.clock.move_to(at("2026-03-10 10:05"))
    assert ready(line)[0] == 200
    desk.clock.move(timedelta(minutes=1))
    assert ready(line) == (503, "something that could leave is 6 min late\n")
    with desk.outbox.transaction():
        rest(desk.outbox, Rest("console", desk.now + timedelta(minutes=5), "no network"))
    assert ready(line)[0] == 200


def test_it_is_not_ready_while_nothing_is_sent(line: Line, desk: Desk) -> None:
    with desk.outbox.transaction():
        hold(desk.outbox, "restored", "the database was restored", desk.now)
    assert ready(line) == (503, "nothing is sent: the database was restored\n")


def test_it_is_not_ready_while_this_machine_alone_sends_nothing(desk: Desk) -> None:
    pulse = Pulse()
    pulse.beat("0")
    trouble = "the clock of this machine is 7 s ahead of the database's"
    with open_line(desk, shown=web.Shown(pulse, trouble=lambda: trouble)) as line:
        assert ready(line) == (503, f"nothing is sent from here: {trouble}\n")


def test_it_is_not_ready_while_the_database_does_not_answer(
    line: Line, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.2)
    other = connection.connect(desk.outbox.path)
    other.execute("BEGIN IMMEDIATE")
    assert ready(line) == (503, "the database took more than 0 s\n")
    assert ask("GET", "/healthz", line.port).status == 200
    other.execute("ROLLBACK")
    other.close()


# Figures ------------------------------------------------------------------------------------------


def test_figures_tell_how_sending_goes_and_of_nobody(line: Line, desk: Desk) -> None:
    names = ["Vera", "Bruno", "Ada", "Zoe"]
    for number, name in enumerate(names):
        who = desk.patient(name, phone=f"+3460000000{number}", email=f"{name}@example.org")
        desk.treat(who, "2026-03-10 09:00")
    desk.sms = Listed()
    desk.sms.script(InDoubt("cut"), WrongAddress("nobody"))
    desk.drain("2026-03-10 10:00")
    desk.treat(desk.patient("Later", phone="+34600000008"), "2026-03-10 10:00")
    answer = ask("GET", "/metrics", line.port)
    found = figures(answer)
    assert found["reminderd_messages_total", "sms", "accepted"] == 2
    assert found["reminderd_messages_total", "email", "accepted"] == 1
    assert found["reminderd_messages_total", "sms", "wrong-address"] == 1
    assert found["reminderd_doubts",] == 1
    assert found["reminderd_reminders", "sent"] == 3
    assert found["reminderd_reminders", "scheduled"] == 1
    assert found["reminderd_reminders", "unknown"] == found["reminderd_overdue",] == 0
    assert found["reminderd_beat_age_seconds",] == 0
    assert any(name[0] == "reminderd_build_info" for name in found)
    assert [each for each in (*names, "pat-1", "60000", "example.org") if each in str(found)] == []


def test_what_left_before_the_process_began_is_not_counted(desk: Desk) -> None:
    desk.treat(desk.patient(), "2026-03-10 09:00")
    desk.drain("2026-03-10 10:00")
    with open_line(desk) as line:
        found = figures(ask("GET", "/metrics", line.port))
    assert not any(name[0] == "reminderd_messages_total" for name in found)
    assert found["reminderd_reminders", "sent"] == 1


def test_lateness_is_told_in_classes_of_a_histogram(desk: Desk, seconds: Seconds) -> None:
    pulse = Pulse(seconds)
    for late in (-1, 0.2, 0.5, 3, 5000):
        pulse.left("sms", timedelta(seconds=late))
    with open_line(desk, shown=web.Shown(pulse)) as line:
        found = figures(ask("GET", "/metrics", line.port))
    classes = {name[2]: value for name, value in found.items() if name[0].endswith("_bucket")}
    assert (classes["0.5"], classes["1.0"], classes["5.0"], classes["3600.0"]) == (3, 3, 4, 4)
    assert classes["+Inf"] == found["reminderd_lateness_seconds_count", "sms"] == 5
    assert found["reminderd_lateness_seconds_sum", "sms"] == pytest.approx(5003.7)


def test_a_transport_that_rests_and_what_came_in_are_told(line: Line, desk: Desk) -> None:
    line.writes("Hello")
    with desk.outbox.transaction():
        rest(desk.outbox, Rest("console", desk.now + timedelta(minutes=5), "no network"))
    found = figures(ask("GET", "/metrics", line.port))
    assert found["reminderd_transport_resting", "console"] == 1
    assert found["reminderd_replies", "waiting"] == 1


def test_nothing_is_told_to_a_registry_of_the_whole_process(line: Line) -> None:
    ask("GET", "/metrics", line.port)
    assert [each.name for each in REGISTRY.collect() if each.name.startswith("reminderd")] == []


# Who may see it -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
@pytest.mark.parametrize(("for_all", "status"), [(False, 404), (True, 200)])
def test_other_machines_see_it_only_where_the_settings_say_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, path: str, for_all: bool, status: int
) -> None:
    monkeypatch.setattr(site, "is_loopback", lambda peer: False)  # as from another machine
    pulse = Pulse()
    pulse.beat("0")
    serving = {"twilio": receiver()}
    with open_line(desk, serving, web.Shown(pulse, for_all=for_all)) as line:
        assert ask("GET", path, line.port).status == status
        assert ask("GET", "/healthz", line.port).status == 200
