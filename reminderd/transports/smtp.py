"""Mail through a mail server, driven by hand so that it is known how far a message has come.

Everything before the final dot is certain: the message was not accepted. From the final dot on,
only a readable positive reply is.
"""

import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from reminderd.errors import CredentialsRefused, InDoubt, Temporary, WrongAddress
from reminderd.model import Channel, Message
from reminderd.transports import mail
from reminderd.transports.pool import Pool
from reminderd.transports.privacy import is_loopback, redacted
from reminderd.transports.smtp_codes import Phase, refusal
from reminderd.transports.timeout import Timeout

_MAILS_PER_CONNECTION = 100


class SmtpSettings(BaseModel):
    """What `[transports.smtp]` holds."""

    model_config = ConfigDict(extra="forbid")

    host: str = Field(min_length=1, description="name of the mail server")
    port: int = Field(587, ge=1, le=65535, description="its port")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="encryption; with none nobody signs in, but to this machine"
    )
    ca_file: Path | None = Field(
        None, description="certificates of a private authority to trust instead of the system's"
    )
    username: str | None = Field(None, description="whom to sign in as; absent: nobody")
    password: SecretStr | None = Field(None, description="the password of username")
    sender: str = Field(description="From, as in: Alba Skin Clinic <care@example.org>")
    timeout: Timeout = Field(
        default="15s", validate_default=True, description="how long the server may take to answer"
    )
    concurrency: int = Field(4, ge=1, le=64, description="connections side by side")
    max_per_second: float | None = Field(None, gt=0, description="mails a second at most")

    @field_validator("sender")
    @classmethod
    def _is_a_mailbox(cls, value: str) -> str:
        mail.Mailbox.parse(value)
        return value

    @model_validator(mode="after")
    def _signs_in_safely(self) -> "SmtpSettings":
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together; give both or none")
        if self.username and self.security == "none" and not is_loopback(self.host):
            raise ValueError('security "none" would show the password; use "starttls" or "tls"')
        return self


class Smtp:
    """Sends mail over a few connections that are kept open between messages."""

    Settings: ClassVar[type[SmtpSettings]] = SmtpSettings
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.EMAIL})
    leaves_machine: ClassVar[bool] = True

    def __init__(self, settings: SmtpSettings) -> None:
        self.concurrency = settings.concurrency
        self.max_per_second = settings.max_per_second
        self._settings = settings
        self._sender = mail.Mailbox.parse(settings.sender)
        self._pool: Pool[_Link] = Pool(_Link.close)

    def send(self, message: Message) -> str:
        """Hand one mail over and return its Message-ID; raises `TransportError`."""
        content = mail.compose(message, self._sender)
        link = self._begin(message)
        link.recipient(message.to)
        link.content(content)
        if link.carried < _MAILS_PER_CONNECTION:
            self._pool.give(link)
        else:
            link.close()
        return mail.message_id(message, self._sender)

    def send_again(self, message: Message) -> str:
        """The same bytes under the same Message-ID, which mailboxes show once; as `send`."""
        return self.send(message)

    def test(self) -> str:
        """Connect, encrypt and sign in as for a mail; raises `TransportError`."""
        settings = self._settings
        self._open().close()
        parts = [f"{settings.host}:{settings.port} answers"]
        if settings.security != "none":
            parts.append(f"{settings.security} with a certificate that holds")
        if settings.username:
            parts.append("signed in")
        return ", ".join(parts)

    def close(self) -> None:
        """Say goodbye on every open connection."""
        self._pool.close()

    def _begin(self, message: Message) -> "_Link":
        """A connection on which the server has accepted MAIL.

        Where a kept connection turns out to be dead, a new one takes its place: nothing of the
        message has left yet.
        """
        kept = self._pool.take()
        if kept is not None:
            with suppress(Temporary):
                kept.begin(message, self._sender)
                return kept
        link = self._open()
        link.begin(message, self._sender)
        return link

    def _open(self) -> "_Link":
        try:
            return _Link(self._settings, self._sender.domain)
        except UnicodeError:
            # Its text would show the password, and smtplib can send nothing else than ASCII.
            raise CredentialsRefused("AUTH: user name or password hold letters not ASCII") from None


class _Link:
    """One connection; any failure closes it, so that a link which is open is in order."""

    def __init__(self, settings: SmtpSettings, hello: str) -> None:
        self.carried = 0
        self._private: tuple[str, ...] = ()
        self._smtp: smtplib.SMTP | None = None
        with self._certain(Phase.CONNECT):
            self._smtp = _connect(settings, hello)
            self._smtp.ehlo_or_helo_if_needed()
        if settings.security == "starttls":
            with self._certain(Phase.STARTTLS):
                self._smtp.starttls(context=_trust(settings))
        if settings.username and settings.password:
            with self._certain(Phase.AUTH):
                self._smtp.login(settings.username, settings.password.get_secret_value())

    def begin(self, message: Message, sender: mail.Mailbox) -> None:
        """Announce a mail from `sender`; the words of `message` stay out of every error's text."""
        self._private = (message.to.partition("@")[0], *message.recipient_name.split())
        with self._certain(Phase.MAIL) as smtp:
            options = []
            if not message.to.isascii():
                if not smtp.has_extn("smtputf8"):
                    raise WrongAddress("RCPT: the server cannot carry an address with such letters")
                options = ["SMTPUTF8", "BODY=8BITMIME"]
            self._expect(Phase.MAIL, smtp.mail(sender.address, options), 250)

    def recipient(self, address: str) -> None:
        """Name the one who shall get it."""
        with self._certain(Phase.RCPT) as smtp:
            self._expect(Phase.RCPT, smtp.rcpt(address), 250, 251)

    def content(self, content: bytes) -> None:
        """Hand over the mail; raises InDoubt when it may have been accepted."""
        with self._certain(Phase.DATA) as smtp:
            self._expect(Phase.DATA, smtp.docmd("DATA"), 354)
            smtp.send(content.replace(b"\r\n.", b"\r\n.."))
        code, text = self._finish(smtp)
        if code != 250:
            self._drop()
            said = redacted(text, self._private)
            raise InDoubt(f"the final dot was answered with: {said}", code=str(code or "") or None)
        self.carried += 1

    def close(self) -> None:
        """Say goodbye, if the server still listens."""
        with suppress(OSError):
            if self._smtp is not None and self._smtp.sock is not None:
                self._smtp.quit()
        self._drop()

    @contextmanager
    def _certain(self, phase: Phase) -> Iterator[smtplib.SMTP]:
        """Whatever fails in here, the message was not accepted: say so in the house's words."""
        try:
            yield self._smtp  # type: ignore[misc]  # None only while connecting, and not used then
        except smtplib.SMTPResponseException as error:
            self._drop()
            raise refusal(phase, error.smtp_code, error.smtp_error, self._private) from None
        except OSError as error:
            self._drop()
            no_way_in = phase is Phase.AUTH and _not_offered(error)
            kind = CredentialsRefused if no_way_in else Temporary
            raise kind(f"{phase}: {_reason(error)}") from None
        except BaseException:
            self._drop()
            raise

    def _expect(self, phase: Phase, reply: tuple[int, bytes], *accepted: int) -> None:
        code, text = reply
        if code not in accepted:
            raise refusal(phase, code, text, self._private)

    def _finish(self, smtp: smtplib.SMTP) -> tuple[int | None, str]:
        """Write the final dot and read the reply, of which every line must be whole."""
        try:
            smtp.send(b".\r\n")
            while True:
                line = smtp.file.readline(8192)  # type: ignore[union-attr]  # open since the banner
                if not re.fullmatch(rb"\d{3}([ -][^\r\n]*)?\r?\n", line):
                    return None, "nothing readable"
                if line[3:4] != b"-":
                    return int(line[:3]), line.decode("utf-8", "replace")
        except OSError as error:
            return None, _reason(error)

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()


def _connect(settings: SmtpSettings, hello: str) -> smtplib.SMTP:
    # Without a name for itself, smtplib asks the resolver for one, which can take many seconds.
    target, wait = (settings.host, settings.port, hello), settings.timeout
    if settings.security == "tls":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(*target, timeout=wait, context=_trust(settings))
    else:
        smtp = smtplib.SMTP(*target, timeout=wait)
    # The final dot is a packet of its own and must not wait for the one before it.
    if smtp.sock is not None:
        smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return smtp


def _trust(settings: SmtpSettings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.ca_file)


def _reason(error: OSError) -> str:
    """What went wrong on the line, without anything that the other side said."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate does not hold: {error.verify_message}"
    if isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError):
        return "no answer in time"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "the server closed the connection"
    if _not_offered(error):
        return "the server does not offer it"
    return error.strerror or type(error).__name__


def _not_offered(error: OSError) -> bool:
    # smtplib raises its bare base class where no way to sign in suits both sides.
    return type(error) in (smtplib.SMTPException, smtplib.SMTPNotSupportedError)
