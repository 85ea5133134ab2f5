"""Chats and pagers of the clinic's own people: the real apprise, and a service of ours."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from reminderd import notifying
from reminderd.errors import ConfigurationError, Temporary
from reminderd.model import Severity
from reminderd.notifying import Notifier, name_of
from tests.core.alarming import FRONT, NUMBER, WORDS, on_duty
from tests.fakes.smtp_server import SmtpServer


class Service:
    """Takes what apprise posts as JSON, or refuses it."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.status = 200
        service = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if service.status == 200:
                    service.told.append(json.loads(body))
                self.send_response(service.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return None

        self._server = HTTPServer(("127.0.0.1", 0), Answer)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self._server.server_port}/secretpath"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service()
    yield running
    running.stop()


def test_a_service_is_told_and_its_address_stays_secret(service: Service) -> None:
    notifier, name = Notifier({"notify": [service.address]}), name_of(service.address)
    notifier.tell(name, "Alba Skin Clinic: red flag, inc-1", "reminderd incident show inc-1")
    (told,) = service.told
    assert told["title"] == "Alba Skin Clinic: red flag, inc-1"
    assert told["message"] == "reminderd incident show inc-1"
    assert name.startswith("json-")
    assert "secretpath" not in name


def test_one_that_takes_nothing_is_asked_again_later(service: Service) -> None:
    service.status = 500
    notifier, name = Notifier({"notify": [service.address]}), name_of(service.address)
    with pytest.raises(Temporary, match=f"{name}: the service has not taken it"):
        notifier.tell(name, "title", "body")


def test_an_address_that_is_none_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError) as refused:
        Notifier({"notify": ["json://127.0.0.1", "token-of-mine"], "second_notify": ["foo://hush"]})
    assert refused.value.faults == (
        "alerts.notify[2]: is not an address that apprise knows",
        "alerts.second_notify[1]: is not an address that apprise knows",
    )


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifying, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError) as refused:
        Notifier({"notify": ["json://127.0.0.1"]})
    assert 'pip install "reminderd[alerts]"' in (refused.value.remedy or "")
    Notifier({"notify": []})


def test_a_red_flag_is_told_without_number_and_words_before_any_mail(
    tmp_path: Path, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with (
        SmtpServer() as server,
        on_duty(tmp_path, server, notify=[service.address]) as duty,
    ):
        duty.red_flag(Severity.URGENT)
        assert duty.look() == [FRONT]
        (told,) = service.told
        said = f"{told['title']} {told['message']}"
        assert "inc-1" in said
        assert NUMBER not in said
        stored = [each.recipient for each in duty.desk.outbox.alerts("incident/1/")]
        assert stored == [name_of(service.address), FRONT]
    ours = [each.getMessage() for each in caplog.records if each.name != "mail.log"]
    for private in ("secretpath", NUMBER, WORDS, FRONT):
        assert private not in "\n".join(ours)
