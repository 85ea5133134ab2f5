"""What `check` says of [web]."""

from pathlib import Path

import pytest

from reminderd import bootstrap, checkup, web
from tests.core.build import at
from tests.core.desk import CONFIG

NOW = at("2026-03-10 08:00")
PUBLIC = 'public_url = "https://care.example.org"'


def said(folder: Path, *lines: str) -> list[tuple[str, str]]:
    config = folder / "reminderd.toml"
    config.write_text("\n".join([CONFIG, "[web]", *lines]))
    found = checkup._web(bootstrap.load_settings(config, {}))
    return [(each.level.value, each.message) for each in found]


def test_it_says_where_it_listens(tmp_path: Path) -> None:
    for address in ("127.0.0.1:8025", "[::1]:8025", "localhost:8025"):
        listen = f'listen = "{address}"'
        assert said(tmp_path, listen, PUBLIC) == [("fine", f"listens at {address}")]


def test_it_notes_that_others_may_reach_it(tmp_path: Path) -> None:
    ((level, message),) = said(tmp_path, 'listen = "0.0.0.0:8025"')
    assert level == "note"
    assert "others than this machine" in message


def test_providers_that_call_and_find_nobody_are_a_problem(tmp_path: Path) -> None:
    ((level, message),) = said(tmp_path, PUBLIC)
    assert level == "problem"
    assert "nothing listens" in message


def test_calls_that_anybody_on_the_way_can_read_are_noted(tmp_path: Path) -> None:
    found = said(tmp_path, 'listen = "127.0.0.1:8025"', PUBLIC.replace("https", "http"))
    assert [level for level, _ in found] == ["fine", "note"]


def test_missing_packages_are_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "find_spec", lambda name: None)
    ((level, message),) = said(tmp_path, 'listen = "127.0.0.1:8025"')
    assert level == "problem"
    assert "starlette" in message


def test_without_it_nothing_is_said(tmp_path: Path) -> None:
    assert said(tmp_path) == []
