"""A message that may have left is no secret while evidence is looked for."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from reminderd import bootstrap
from reminderd.bootstrap import House
from reminderd.errors import InDoubt
from reminderd.interfaces import Callback
from reminderd.model import Outcome, Receipt
from tests.cli.desk import Clinic
from tests.core.desk import Post

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


class Listed(Post):
    """A provider whose list has this and nothing else."""

    def __init__(self, *listed: Callback) -> None:
        super().__init__()
        self.listed = list(listed)

    def find(self, to: str, text: str, since: datetime) -> list[Callback]:
        return self.listed


@pytest.fixture
def house(clinic: Clinic) -> Iterator[House]:
    """Ana's first message left at 10:00:00, and no answer came."""
    opened = bootstrap.open_house(bootstrap.load_settings(clinic.config, {}))
    clinic.enrols()
    post = Listed()
    post.script(InDoubt("no answer in time"))
    drain(clinic, opened, post)
    yield opened
    opened.outbox.close()


def drain(clinic: Clinic, house: House, post: Post) -> None:
    dispatch = house.dispatch(clinic.clock, {"file": post})
    dispatch.drain(clinic.clock.now())
    dispatch.close()


def doubtful(clinic: Clinic, state: str) -> str:
    (first, *_) = clinic.data("reminder", "list", "--state", state)["reminders"]
    return str(first["id"])


def test_status_and_today_count_it_and_say_when_the_next_look_is(
    clinic: Clinic, house: House
) -> None:
    expected = {"messages": 1, "next_look": "2026-03-28T10:00:30+01:00"}
    for command in ("status", "today"):
        told = clinic.data(command)
        assert (told["in_doubt"], told["staff"]) == (expected, [])
    assert "in doubt    1, next look 2026-03-28T10:00:30+01:00" in clinic.says("status")
    assert "In doubt: 1, next look 2026-03-28T10:00:30+01:00" in clinic.types("today").stderr


def test_a_reminder_says_when_it_left_and_what_happens_next(clinic: Clinic, house: House) -> None:
    name = doubtful(clinic, "sending")
    clinic.clock.move(10 * SECOND)
    why = clinic.data("reminder", "explain", name)["why"]
    assert why[-3:] == [
        "msg-1 left at 10:00:00, and whether it was accepted is in doubt",
        "evidence is looked for next at 10:00:30; without any it is unknown at 11:00",
        f"who knows better may say so: reminderd reminder resolve {name} --sent or --drop",
    ]
    assert "2026-03-28T10:00:00+01:00 sms by file: in-doubt" in clinic.says(
        "reminder", "explain", name
    )


def test_once_nobody_looks_any_more_it_is_for_a_person_to_say(clinic: Clinic, house: House) -> None:
    clinic.clock.move(HOUR)
    drain(clinic, house, Listed())
    name = doubtful(clinic, "unknown")
    told = clinic.data("status")
    assert told["in_doubt"] == {"messages": 0, "next_look": None}
    assert len(told["staff"]) == 1
    assert clinic.data("reminder", "explain", name)["why"][-1].endswith(
        f"reminderd reminder resolve {name} --sent, --resend or --drop"
    )
    line = next(e for e in clinic.says("reminder", "explain", name).splitlines() if "in-doubt" in e)
    assert line.strip().startswith("2026-03-28T10:00:00+01:00")


def test_sending_it_again_is_refused_until_then(clinic: Clinic, house: House) -> None:
    name = doubtful(clinic, "sending")
    refused = clinic.types("reminder", "resolve", name, "--resend")
    assert refused.exit_code == 5
    assert "without any it is unknown at 11:00" in refused.stderr


def test_what_was_told_of_a_message_is_kept_where_another_channel_carries_it(
    clinic: Clinic, house: House
) -> None:
    name = doubtful(clinic, "sending")
    clinic.clock.move(30 * SECOND)
    gone = Callback(None, "SM1", Receipt.UNDELIVERED, "30005", Outcome.WRONG_ADDRESS)
    drain(clinic, house, Listed(gone))
    drain(clinic, house, Listed())
    told = clinic.data("reminder", "explain", name)
    assert [each["receipt"] for each in told["told"]] == ["undelivered"]
    assert [each["channel"] for each in told["attempts"]] == ["sms", "email"]
    assert (told["reminder"]["state"], told["reminder"]["channel"]) == ("sent", "email")
    assert "told of SM1: undelivered 30005" in clinic.says("reminder", "explain", name)
    assert clinic.data("status")["staff"] == []
