"""A server that ends by itself is not missed: the process ends too, and is started again."""

import logging
import threading
from pathlib import Path

import pytest
import uvicorn

from reminderd import bootstrap, daemon, web
from reminderd.errors import TryAgainLater
from tests.configuration import configuration
from tests.core.build import at
from tests.core.desk import Desk
from tests.web.line import free_port, open_line


async def _fails(self: uvicorn.Server, counter: int) -> bool:
    raise RuntimeError("somebody's words")


async def _ends(self: uvicorn.Server, counter: int) -> bool:
    return True


@pytest.mark.parametrize(("tick", "why"), [(_fails, "RuntimeError"), (_ends, "nobody told it to")])
def test_the_end_is_told_at_once_and_the_log_says_why_without_anybodys_words(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tick: object,
    why: str,
) -> None:
    monkeypatch.setattr(uvicorn.Server, "on_tick", tick)
    desk, ended = Desk(tmp_path, at("2026-03-10 08:00")), threading.Event()
    shown = web.Shown(ended=ended.set)
    with pytest.raises(TryAgainLater, match="nobody served any more"), open_line(desk, shown=shown):
        assert ended.wait(20)
    desk.close()
    assert f"the web server has ended ({why})" in caplog.text
    assert "somebody's words" not in caplog.text


def test_an_end_that_was_asked_for_is_none_of_these(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    desk, ended = Desk(tmp_path, at("2026-03-10 08:00")), threading.Event()
    with open_line(desk, shown=web.Shown(ended=ended.set)):
        pass
    desk.close()
    assert not ended.is_set()
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


def test_the_daemon_ends_as_one_that_is_to_be_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uvicorn.Server, "on_tick", _fails)
    path = tmp_path / "reminderd.toml"
    path.write_text(configuration(f'[web]\nlisten = "127.0.0.1:{free_port()}"\n'))
    with pytest.raises(TryAgainLater, match="nobody served any more") as told:
        daemon.run(bootstrap.load_settings(path, {}))
    assert told.value.exit_code == 75
