"""Whoever sends too much, too slowly or too often keeps nobody else from being heard."""

import errno
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic

import pytest

from reminderd import web
from reminderd.engines.embedded import outbox as embedded
from reminderd.errors import ConfigurationError, TryAgainLater
from reminderd.web import server, site
from reminderd.web.allowance import Allowance
from tests.core.build import at
from tests.core.desk import NOTE, Desk
from tests.fakes.twilio_calls import ask, status
from tests.waiting import until
from tests.web.line import SID, Line, free_port, locked, open_line


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Vera's text has left."""
    desk = Desk(tmp_path, at("2026-03-10 08:00"))
    desk.protocol(NOTE)
    desk.treat(desk.patient(), "2026-03-10 09:00")
    desk.drain("2026-03-10 10:00")
    yield desk
    desk.close()


@pytest.fixture
def hasty(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """A line on which everything has to be over soon."""
    monkeypatch.setattr(server, "LONGEST_SECONDS", 0.2)
    with open_line(desk) as line:
        yield line


def cut(port: int, sent: bytes) -> bytes:
    """What comes until the server closes the connection."""
    found = b""
    # A line that is cut is reset at any step, also before it stands.
    with (
        suppress(ConnectionResetError, BrokenPipeError),
        socket.create_connection(("127.0.0.1", port), 10) as line,
    ):
        line.sendall(sent)
        while part := line.recv(4096):
            found += part
    return found


HEAD = b"POST /hooks/twilio/status HTTP/1.1\r\nHost: care.example.org\r\n"


# Too much -----------------------------------------------------------------------------------------


def test_a_form_of_more_than_64_kib_is_not_read_to_its_end(line: Line) -> None:
    form = status(SID, Body="x" * 65_536)
    assert line.tell(form).status == 413
    assert line.tell(status(SID, Body="x" * 60_000)).status == 204


def test_a_form_that_does_not_say_how_long_it_is_is_not_read_to_its_end_either(line: Line) -> None:
    part = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    answer = cut(line.port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + part * 3)
    assert answer.startswith(b"HTTP/1.1 413")
    assert line.kept() == []


def test_a_head_of_more_than_16_kib_is_refused(line: Line) -> None:
    answer = cut(line.port, HEAD + b"X: " + b"x" * 40_000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 4") or answer == b""
    assert line.tell().status == 204


def test_what_is_no_http_is_refused(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    assert b"204" not in cut(line.port, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
    assert line.tell().status == 204
    assert "Traceback" not in caplog.text


# Too slowly ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [b"", b"POST /hooks", HEAD, HEAD + b"Content-Length: 500\r\n\r\nMessageSid="],
    ids=["nothing", "half a line", "half a head", "half a form"],
)
def test_who_dawdles_is_cut_off(hasty: Line, sent: bytes) -> None:
    began = monotonic()
    assert b"204" not in cut(hasty.port, sent)
    assert monotonic() - began < 5
    assert hasty.kept() == []


def test_whoever_is_cut_off_may_have_been_the_provider_and_is_asked_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LONGEST_SECONDS", 0.2)
    missed: list[bool] = []
    with open_line(desk, shown=web.Shown(missed=lambda: missed.append(True))) as line:
        assert line.tell().status == 204
        assert not missed
        cut(line.port, HEAD + b"Content-Length: 500\r\n\r\nMessageSid=")
    assert missed


def test_one_connection_carries_one_request(line: Line) -> None:
    answer = cut(line.port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 5)
    assert answer.count(b"HTTP/1.1 200") == 1


def test_who_hangs_up_in_the_middle_leaves_nothing_behind(
    line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(("127.0.0.1", line.port), 10) as caller:
        caller.sendall(HEAD + b"Content-Length: 500\r\n\r\nMessageSid=")
    assert line.tell().status == 204
    assert "Traceback" not in caplog.text


# Too often ----------------------------------------------------------------------------------------


def test_of_too_many_at_once_some_are_sent_away_and_none_is_lost_that_was_acknowledged(
    line: Line,
) -> None:
    for n in range(100):
        with line.desk.outbox.transaction():
            line.desk.outbox.connection.execute(
                "INSERT INTO attempts (message, outcome, claimed_at, token) "
                "VALUES (1, 'accepted', 0, ?)",
                (f"token-{n}",),
            )

    def one(n: int) -> int:
        url, sid = line.url(f"token-{n}"), f"SM{n:032x}"
        token = "a-forger" if n % 2 else ""
        return line.tell(status(sid), url=url, **({"token": token} if token else {})).status

    with ThreadPoolExecutor(100) as crowd:
        answers = list(crowd.map(one, range(100)))
    assert set(answers) <= {204, 403, 503}
    assert len(line.kept()) >= answers.count(204) > 0
    assert all(int(sid[2:], 16) % 2 == 0 for sid, _ in line.kept())


def test_while_the_database_is_locked_nothing_is_acknowledged(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.outbox, "_patience_seconds", 0.1)
    with open_line(desk) as line:
        with locked(desk):
            assert line.tell().status == 503
        assert line.tell().status == 204


def test_one_connection_too_many_is_cut_and_whoever_was_missed_is_asked_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_CONNECTIONS", 2)
    missed: list[bool] = []
    shown = web.Shown(missed=lambda: missed.append(True))
    with open_line(desk, shown=shown) as line:
        held = [socket.create_connection(("127.0.0.1", line.port), 10) for _ in range(2)]
        until(lambda: cut(line.port, b"GET /healthz HTTP/1.1\r\n\r\n") == b"", "the third is cut")
        assert missed
        for each in held:
            each.close()
        until(lambda: _lives(line.port), "there is room again")


def test_where_many_stand_at_the_door_the_provider_is_asked_and_all_are_let_in(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LET_IN_AT_ONCE", 1)
    missed: list[bool] = []
    with open_line(desk, shown=web.Shown(missed=lambda: missed.append(True))) as line:
        assert line.tell().status == 204
    assert missed


def test_where_no_more_files_can_be_opened_callers_wait(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    accept, times = socket.socket.accept, iter(range(1000))

    def refusing(door: socket.socket) -> object:
        if next(times) == 0:
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(door)

    monkeypatch.setattr(socket.socket, "accept", refusing)
    with open_line(desk) as line:
        assert line.tell().status == 204
    assert "no caller is let in for a second: Too many open files" in caplog.text


def _lives(port: int) -> bool:
    return cut(port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").endswith(b"ok")


def test_what_is_too_much_from_forgers_is_turned_away_unseen_and_asked_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "Allowance", partial(Allowance, all_per_second=2))
    missed: list[bool] = []
    with open_line(desk, shown=web.Shown(missed=lambda: missed.append(True))) as line:
        assert [line.tell().status for _ in range(9)] == [204] * 9
        answers = [line.tell(token="a-forger") for _ in range(40)]
    assert {each.status for each in answers} == {403, 429}
    assert next(each for each in answers if each.status == 429).headers["retry-after"] == "1"
    assert missed


# Its end and its beginning ------------------------------------------------------------------------


def test_what_is_under_way_at_the_end_is_finished(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, may_end = threading.Event(), threading.Event()
    keep = embedded.EmbeddedOutbox.keep_callback

    def slowly(*given: object) -> bool:
        began.set()
        may_end.wait(10)
        return keep(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(embedded.EmbeddedOutbox, "keep_callback", slowly)
    answers: list[int] = []
    with open_line(desk) as line:
        caller = threading.Thread(target=lambda: answers.append(line.tell(url=url).status))
        url = line.url()
        caller.start()
        assert began.wait(10)
        threading.Timer(0.2, may_end.set).start()
    caller.join(10)
    assert answers == [204]
    assert line.kept() == [(SID, "delivered")]


def test_a_port_that_is_taken_is_said_in_plain_words(desk: Desk) -> None:
    with open_line(desk) as line:
        at_port = web.open_at(f"127.0.0.1:{line.port}", desk.outbox, desk.clock, {})
        with pytest.raises(TryAgainLater, match="another process listens at"), at_port:
            pass


@pytest.mark.parametrize("address", ["203.0.113.7:8025", "nowhere.invalid:8025"])
def test_an_address_that_is_not_ours_is_a_mistake_in_the_configuration(
    desk: Desk, address: str
) -> None:
    at_port = web.open_at(address, desk.outbox, desk.clock, {})
    with pytest.raises(ConfigurationError, match="cannot listen at"), at_port:
        pass


def test_without_the_extra_packages_it_says_how_to_get_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "find_spec", lambda name: None)
    at_port = web.open_at(f"127.0.0.1:{free_port()}", desk.outbox, desk.clock, {})
    with pytest.raises(ConfigurationError, match="starlette, uvicorn") as told, at_port:
        pass
    assert "reminderd[web]" in (told.value.remedy or "")


def test_by_another_loopback_address_it_is_heard_too(desk: Desk) -> None:
    port = free_port()
    with web.open_at(f"localhost:{port}", desk.outbox, desk.clock, {}):
        assert ask("GET", "/healthz", port).status == 200
