"""A clinic whose people are told of what cannot wait, by a real mail server."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from reminderd.alerting import Alerting, ways
from reminderd.bootstrap import build_transports
from reminderd.incidents import incident_name, raise_flag
from reminderd.interfaces import Decision, Reply
from reminderd.model import Severity
from reminderd.outbox_values import Incident
from reminderd.resting import Rest, rest
from reminderd.staff import items
from tests.configuration import configuration
from tests.core.build import at
from tests.core.desk import Desk
from tests.fakes.smtp_server import SmtpServer

FRONT, DOCTOR = "front@example.org", "doctor@example.org"
NUMBER = "+34600000001"
WORDS = "My lips are swelling"


def section(**given: Any) -> str:
    """`[alerts]` with these settings beside the two mailboxes."""
    lines = {"to": [FRONT], "second": [DOCTOR], **given}
    return "\n".join(["[alerts]", *(f"{key} = {json.dumps(each)}" for key, each in lines.items())])


def smtp(server: SmtpServer) -> str:
    keys = ("host", "port", "security", "sender")
    given = server.settings(timeout="2s")
    lines = [f"{key} = {json.dumps(given[key])}" for key in (*keys, "timeout")]
    return "\n".join(["[transports.smtp]", *lines])


@contextmanager
def on_duty(
    folder: Path, server: SmtpServer, *, key: str | None = None, **given: Any
) -> Iterator["Duty"]:
    """With `key`, in an encrypted database."""
    config = configuration(section(**given), smtp(server), email="smtp")
    if key is not None:
        config = config.replace("[database]", f'[database]\nencryption_key = "{key}"')
    desk = Desk(folder, at("2026-03-10 10:00"), config=config)
    duty = Duty(desk, server)
    try:
        yield duty
    finally:
        duty.close()
        desk.close()


class Duty:
    """The desk, its mail server, and whoever tells staff, on the desk's clock."""

    def __init__(self, desk: Desk, server: SmtpServer) -> None:
        self.desk = desk
        self._server = server
        self._serving = build_transports(desk.settings)
        self.restart()

    def restart(self) -> None:
        """As another process finds it."""
        self._alerting = Alerting(self.desk.house, ways(self.desk.settings, self._serving))

    def look(self, **later: float) -> list[str]:
        """To whom something went then."""
        before = len(self._server.mails)
        self.desk.clock.move(timedelta(**later))
        self._alerting.look(self.desk.now)
        return [each.to for each in self._server.mails[before:]]

    def mail(self, number: int = -1) -> EmailMessage:
        read = message_from_bytes(self._server.mails[number].content, policy=policy.default)
        assert isinstance(read, EmailMessage)
        return read

    def text(self, number: int = -1) -> str:
        body = self.mail(number).get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    def red_flag(self, severity: Severity = Severity.EMERGENCY, *patients: int) -> Incident:
        """Somebody has written one just now."""
        outbox, now = self.desk.outbox, self.desk.now
        with outbox.transaction():
            number = outbox.next_incident_id()
            reply = Reply(f"SM{number}", NUMBER, "+34600000000", WORDS)
            outbox.keep_reply("console", reply, now)
            kept = outbox.replies()[0].id
            opened = Incident(number, severity, NUMBER, patients, (kept,), now, now)
            outbox.keep_incident(opened)
        return opened

    def writes_again(self, severity: Severity) -> None:
        """One more red flag comes from the same number."""
        outbox, now = self.desk.outbox, self.desk.now
        with outbox.transaction():
            reply = Reply(f"SM{len(outbox.replies()) + 1}", NUMBER, "+34600000000", WORDS)
            outbox.keep_reply("console", reply, now)
            (kept,) = outbox.replies(most=1)
            incident = raise_flag(outbox, kept, severity, (), now)
            why = {"incident": incident_name(incident)}
            outbox.reply_handled(kept.id, Decision(severity.value, why), (), now)

    def untold(self) -> list[dict[str, Any]]:
        """What the staff's list says of alerts."""
        waiting = items.waiting(self.desk.house, self.desk.now)
        return [each for each in waiting if each["what"] == "alert"]

    def rests(self, *, needs_staff: bool = True) -> None:
        """Nothing leaves by the transport for text messages."""
        until = self.desk.now + timedelta(minutes=5)
        with self.desk.outbox.transaction():
            rest(self.desk.outbox, Rest("console", until, "who are you", needs_staff))

    def keep(self, incident: Incident) -> None:
        with self.desk.outbox.transaction():
            self.desk.outbox.keep_incident(incident)

    def close(self) -> None:
        for each in self._serving.values():
            each.close()
