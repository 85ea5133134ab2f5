"""What `[alerts]` may say, and what `check` says of it."""

from pathlib import Path
from typing import Any

import pytest

from reminderd import bootstrap, checkup
from reminderd.errors import ConfigurationError
from reminderd.settings import Settings
from tests.configuration import SMTP, configuration
from tests.core.alarming import section


def read(folder: Path, environ: dict[str, str] | None = None, **given: Any) -> Settings:
    config = folder / "reminderd.toml"
    config.write_text(configuration(SMTP, section(**given), email="smtp"))
    return bootstrap.load_settings(config, environ or {})


def faults(folder: Path, **given: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        read(folder, **given)
    return [each.partition("alerts.")[2] for each in refused.value.faults]


def test_services_are_secret_and_may_stand_in_a_file_one_on_each_line(tmp_path: Path) -> None:
    (tmp_path / "pagers").write_text("slack://one/two/three\njson://example.org/x\n")
    settings = read(tmp_path, notify_file="pagers")
    given = [each.get_secret_value() for each in settings.sections.alerts.notify]
    assert given == ["slack://one/two/three", "json://example.org/x"]
    shown = {each.path: each.value for each in settings.show()}
    assert shown["alerts.notify"] == "********"
    assert shown["alerts.to"] == ["front@example.org"]


def test_a_list_may_come_from_the_environment(tmp_path: Path) -> None:
    environ = {"REMINDERD_ALERTS__TO": "a@example.org b@example.org"}
    assert read(tmp_path, environ).sections.alerts.to == ["a@example.org", "b@example.org"]


def test_every_mistake_is_found_at_once(tmp_path: Path) -> None:
    assert faults(tmp_path, to=["nobody"], acknowledge_within="0m", digest_at="7:30") == [
        'to[1]: "nobody" is not a mail address; write for example "desk@example.org"',
        'acknowledge_within: "0m" is no time at all; write for example "15m"',
        'digest_at: "7:30" is not a time of day; write for example "09:00"',
    ]


def test_days_are_no_time_to_wait_with_a_red_flag(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path, acknowledge_within="1d")
    assert "1d counts calendar days" in fault


def test_a_digest_needs_somebody_to_read_it(tmp_path: Path) -> None:
    assert faults(tmp_path, to=[], digest_at="07:30") == [
        "digest_at: goes to nobody: name mailboxes in `to`"
    ]


def test_mailboxes_need_a_transport_for_mail(tmp_path: Path) -> None:
    config = tmp_path / "reminderd.toml"
    config.write_text(configuration(section()).replace('email = "file"\n', ""))
    with pytest.raises(ConfigurationError) as refused:
        bootstrap.load_settings(config, {})
    assert [each.partition(": ")[2] for each in refused.value.faults] == [
        "alerts.to: needs a transport for mail: [channels] email = …",
        "alerts.second: needs a transport for mail: [channels] email = …",
    ]


def test_check_says_who_is_told(tmp_path: Path) -> None:
    (found,) = checkup._alerts(read(tmp_path))
    assert found.message.startswith("1 told at once, 1 more after 15m")


def test_check_notes_that_nobody_is_told(tmp_path: Path) -> None:
    (found,) = checkup._alerts(read(tmp_path, to=[], second=[]))
    assert (found.level.value, found.subject) == ("note", "alerts")


def test_check_finds_an_address_that_apprise_does_not_know(tmp_path: Path) -> None:
    (found,) = checkup._alerts(read(tmp_path, notify=["hush-hush"]))
    assert found.level.value == "problem"
    assert "hush" not in found.message
