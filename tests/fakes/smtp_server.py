"""A real SMTP server on this machine that misbehaves when told to.

    with SmtpServer(login=("care", "secret"), tls=certificate) as server:
        server.script("RCPT", "550 5.1.1 no such mailbox", DROP)
        server.mails

Phases that `script` knows: connect, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA (in place of 354), body
(after 354) and dot (after the final dot). For each it takes a reply, DROP, HANG, or `cut("25")`,
which writes only that and hangs up. A mail whose final dot gets no readable answer counts as
accepted.
"""

import asyncio
import socket
import ssl
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

DROP = "\0drop"
HANG = "\0hang"


def cut(beginning: str) -> str:
    """Write only this much of a reply, without a line end, and hang up."""
    return "\0cut" + beginning


@dataclass(frozen=True)
class Mail:
    """A mail that was accepted, and how it came."""

    sender: str
    to: str
    content: bytes
    encrypted: bool
    user: str | None
    connection: int


class Certificate:
    """A certificate for this machine and, in `ca_file`, the authority that vouches for it."""

    def __init__(self, folder: Path, *names: str) -> None:
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca_file)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*(names or ("localhost", "127.0.0.1"))).configure_cert(self.context)


class SmtpServer:
    """Listens on a free port of this machine from `start` to `stop`.

    It encrypts if given a certificate: `implicit` is TLS from the first byte, else STARTTLS is
    offered and required.
    """

    def __init__(
        self,
        *,
        tls: Certificate | None = None,
        implicit: bool = False,
        login: tuple[str, str] | None = None,
        utf8: bool = False,
    ) -> None:
        self.mails: list[Mail] = []
        self.connections = 0
        self.tls, self.implicit, self.login, self.utf8 = tls, implicit, login, utf8
        self._script: dict[str, deque[str]] = {}
        self.loop = asyncio.new_event_loop()
        self._open: set[_Conversation] = set()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def script(self, phase: str, *replies: str) -> None:
        """What the next commands of that phase get, one each; afterwards all is well again."""
        self._script.setdefault(phase, deque()).extend(replies)

    def forget(self) -> None:
        """As if nothing had come, and nothing were scripted."""
        self.mails.clear()
        self._script.clear()
        self.connections = 0

    def script_nothing(self) -> None:
        """All is well from now on."""
        self._script.clear()

    def has_passed(self, phase: str) -> bool:
        """Whether all that was scripted for a phase was used."""
        return phase in self._script and not self._script[phase]

    def wait_until_quiet(self) -> None:
        """Wait until all that was said by clients who are gone is dealt with."""
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.recv(1)  # all who came before were let in
        asyncio.run_coroutine_threadsafe(self._nobody(), self.loop).result(10)

    async def _nobody(self) -> None:
        while any(not each.is_silent for each in self._open):
            await asyncio.sleep(0.001)

    def settings(self, **changes: Any) -> dict[str, Any]:
        """What belongs under `[transports.smtp]` to send here."""
        security = ("tls" if self.implicit else "starttls") if self.tls else "none"
        user, password = self.login or (None, None)
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "security": security,
            "ca_file": self.tls.ca_file if self.tls else None,
            "username": user,
            "password": password,
            "sender": "Alba Skin Clinic <care@example.org>",
            **changes,
        }

    def start(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def stop(self) -> None:
        """Refuse connections from now on; safe to call again."""
        if self.loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._hang_up(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    __enter__ = start

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def hang_up(self) -> None:
        """Close every open connection, as a server does with idle clients."""
        asyncio.run_coroutine_threadsafe(self._close_all(), self.loop).result(10)

    def scripted(self, phase: str) -> str | None:
        return self._script[phase].popleft() if self.has_scripted(phase) else None

    def has_scripted(self, phase: str) -> bool:
        return bool(self._script.get(phase))

    def refuses(self, phase: str) -> bool:
        return self.has_scripted(phase) and self._script[phase][0].startswith(("4", "5"))

    def has_ended(self, conversation: "_Conversation") -> None:
        self._open.discard(conversation)

    async def _listen(self) -> asyncio.Server:
        context = self.tls.context if self.tls and self.implicit else None
        return await self.loop.create_server(self._answerer, "127.0.0.1", 0, ssl=context)

    async def _close_all(self) -> None:
        for each in list(self._open):
            each.drop()
        await asyncio.sleep(0)

    async def _hang_up(self) -> None:
        self._server.close()
        await self._close_all()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _answerer(self) -> "_Conversation":
        self.connections += 1
        conversation = _Conversation(self, self.connections)
        self._open.add(conversation)
        return conversation


class _Conversation(SMTP):
    """aiosmtpd's server for one connection, with the script asked before each command."""

    def __init__(self, server: SmtpServer, number: int) -> None:
        starttls = server.tls.context if server.tls and not server.implicit else None
        super().__init__(
            _Keeper(server, number),
            hostname="mail.example.org",
            ident="ESMTP",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=_authenticator(server.login),
            enable_SMTPUTF8=server.utf8,
            loop=server.loop,
        )
        # Set here because aiosmtpd warns of these arguments, and the tests let no warning pass.
        self._auth_required = server.login is not None
        self._auth_require_tls = server.login is None
        self._fake = server
        self.is_silent = False  # for good: it does not even notice that the client has gone

    def drop(self) -> None:
        """Close the connection hard."""
        if self.transport is not None:
            self.transport.abort()

    async def scripted(self, phase: str) -> str | None:
        """The script's reply, if it has one; where it breaks the line this never comes back."""
        reply = self._fake.scripted(phase)
        if reply is None or not reply.startswith("\0"):
            return reply
        assert self.transport is not None
        if reply == DROP:
            self.transport.abort()
        elif reply != HANG:
            self.transport.write(reply.removeprefix("\0cut").encode())
            self.transport.close()
        self.is_silent = True
        await asyncio.Event().wait()  # cancelled once the connection is lost
        raise AssertionError("not reached")

    async def _handle_client(self) -> None:
        if reply := await self.scripted("connect"):
            await self.push(reply)
            assert self.transport is not None
            self.transport.close()
        else:
            await super()._handle_client()

    async def _obey(self, phase: str, command: Callable[[Any], Awaitable[None]], arg: Any) -> None:
        if reply := await self.scripted(phase):
            await self.push(reply)
        else:
            await command(arg)

    async def smtp_EHLO(self, hostname: str) -> None:
        await self._obey("EHLO", super().smtp_EHLO, hostname)

    async def smtp_STARTTLS(self, arg: str) -> None:
        await self._obey("STARTTLS", super().smtp_STARTTLS, arg)

    async def smtp_AUTH(self, arg: str) -> None:
        await self._obey("AUTH", super().smtp_AUTH, arg)

    async def smtp_MAIL(self, arg: str | None) -> None:
        await self._obey("MAIL", super().smtp_MAIL, arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        await self._obey("RCPT", super().smtp_RCPT, arg)

    async def smtp_DATA(self, arg: str) -> None:
        if self._fake.has_scripted("body"):
            await self.push("354 go on")
            await self.scripted("body")
        await self._obey("DATA", super().smtp_DATA, arg)

    def eof_received(self) -> bool:
        super().eof_received()
        return False  # whoever has hung up is gone

    def connection_lost(self, error: Exception | None) -> None:
        self._fake.has_ended(self)
        super().connection_lost(error)


class _Keeper:
    """aiosmtpd's handler: keeps what was accepted."""

    def __init__(self, server: SmtpServer, number: int) -> None:
        self._fake, self._number = server, number

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: _Conversation, session: Session, envelope: Envelope) -> str:
        if not self._fake.refuses("dot"):
            self._keep(session, envelope)
        return await server.scripted("dot") or "250 2.0.0 queued as 4bQ7"

    def _keep(self, session: Session, envelope: Envelope) -> None:
        self._fake.mails.append(
            Mail(
                sender=envelope.mail_from or "",
                to=envelope.rcpt_tos[0],
                content=envelope.original_content or b"",
                encrypted=session.ssl is not None or self._fake.implicit,
                user=session.auth_data.login.decode() if session.auth_data else None,
                connection=self._number,
            )
        )


def _authenticator(login: tuple[str, str] | None) -> Callable[..., AuthResult]:
    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        good = (data.login.decode(), data.password.decode()) == login
        return AuthResult(success=good, handled=False, auth_data=data if good else None)

    return authenticate
