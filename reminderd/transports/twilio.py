"""Text messages through Twilio's Messages interface, or another host that speaks it.

Sending is not idempotent, so nothing is ever sent twice from here: what is not known to have been
refused, or never to have left, is in doubt.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from reminderd.errors import ConfigurationError, InDoubt, Temporary, TransportError
from reminderd.model import Channel, Message
from reminderd.outbox_values import Call, Callback, News, Reply
from reminderd.transports.pool import Pool
from reminderd.transports.privacy import is_loopback, redacted
from reminderd.transports.timeout import Timeout
from reminderd.transports.twilio_callbacks import (
    NotGenuine,
    callback,
    fields,
    is_signed,
    listed,
    reply,
    told,
)
from reminderd.transports.twilio_codes import verdict

if TYPE_CHECKING:
    from requests import Response

_PAGE = 1000  # of its list at once, the most that it gives
_NEWEST = 50  # of the messages to one number, enough for an hour
_LONGEST_VALIDITY = 36_000  # seconds; more is refused


class TwilioSettings(BaseModel):
    """What `[transports.twilio]` holds."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    account_sid: str = Field(pattern=r"^AC[0-9a-fA-F]{32}$", description="the account's SID")
    auth_token: SecretStr | None = Field(
        None, description="the account's token; signatures of hooks need it"
    )
    auth_token_old: SecretStr | None = Field(
        None, description="the token before the present one, while hooks may still be signed by it"
    )
    api_key_sid: str | None = Field(
        None, pattern=r"^SK[0-9a-fA-F]{32}$", description="an API key to send with, not the token"
    )
    api_key_secret: SecretStr | None = Field(None, description="the secret of api_key_sid")
    from_: str | None = Field(None, alias="from", min_length=1, description="the sender's number")
    messaging_service_sid: str | None = Field(
        None, pattern=r"^MG[0-9a-fA-F]{32}$", description="a Messaging Service, instead of from"
    )
    api_base: str = Field(
        "https://api.twilio.com", description="another host that speaks the same interface"
    )
    max_per_second: float | None = Field(10, gt=0, description="messages a second at most")
    concurrency: int = Field(16, ge=1, le=64, description="requests side by side")
    timeout: Timeout = Field(
        default="15s", validate_default=True, description="how long an answer may take"
    )

    @field_validator("api_base")
    @classmethod
    def _hides_the_token(cls, value: str) -> str:
        url = urlsplit(value)
        open_line = url.scheme == "http" and is_loopback(url.hostname or "")
        if not url.hostname or not (url.scheme == "https" or open_line):
            raise ValueError('must begin with "https://" (http:// only on this machine)')
        return value.rstrip("/")

    @model_validator(mode="after")
    def _says_who_and_from(self) -> "TwilioSettings":
        if (self.from_ is None) == (self.messaging_service_sid is None):
            raise ValueError("give exactly one of from and messaging_service_sid")
        if (self.api_key_sid is None) != (self.api_key_secret is None):
            raise ValueError("api_key_sid and api_key_secret belong together; give both or none")
        if self.auth_token is None and self.api_key_secret is None:
            raise ValueError("give auth_token, or api_key_sid with api_key_secret")
        return self


class Twilio:
    """Sends text messages with one client for each call that is under way."""

    Settings: ClassVar[type[TwilioSettings]] = TwilioSettings
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.SMS})
    leaves_machine: ClassVar[bool] = True
    # Of its own it answers STOP and its kin; from us it hears that no answer follows.
    acknowledgement: ClassVar[tuple[str, str]] = ("text/xml", "<Response/>")

    def __init__(self, settings: TwilioSettings) -> None:
        self.concurrency = settings.concurrency
        self.max_per_second = settings.max_per_second
        self._settings = settings
        self._pool: Pool[_Line] = Pool(_Line.close)
        self._address: str | None = None

    def send(self, message: Message) -> str:
        """Hand one text message over and return its SID; raises `TransportError`."""
        seconds = int(message.valid_for.total_seconds())
        request = {
            "to": message.to,
            "body": message.text,
            "validity_period": min(max(seconds, 1), _LONGEST_VALIDITY),
            **self._sender(),
            **self._status_callback(message),
        }
        sid = self._call(lambda client: client.messages.create(**request).sid, message)
        if not (isinstance(sid, str) and sid):
            raise InDoubt("the answer names no message")
        return sid

    def find(self, to: str, text: str, since: datetime) -> list[Callback]:
        """What the provider's list says of such messages, the earliest first.

        Instants are compared in whole seconds, as the provider tells them. Raises `TransportError`.
        """
        listed = self._call(lambda client: client.messages.list(to=to, limit=_NEWEST))
        taken = [
            each
            for each in listed
            if each.body == text
            and (each.direction or "").startswith("outbound")
            and each.date_created is not None
            and each.date_created >= since.replace(microsecond=0)
        ]
        return [
            told(each.sid, each.status, str(each.error_code) if each.error_code else None)
            for each in sorted(taken, key=lambda each: each.date_created)
        ]

    def test(self) -> str:
        """Read the account without sending anything; raises `TransportError`."""
        account = self._call(lambda client: client.api.account.fetch())
        return f"account {account.sid} at {self._settings.api_base} is {account.status}"

    def close(self) -> None:
        """Close every open connection."""
        self._pool.close()

    def _sender(self) -> dict[str, str]:
        if self._settings.messaging_service_sid:
            return {"messaging_service_sid": self._settings.messaging_service_sid}
        return {"from_": self._settings.from_ or ""}

    # What it tells by itself ---------------------------------------------------------------------

    def be_called_at(self, address: str) -> None:
        """Ask for status callbacks at `<address>/status`, believe what is signed for addresses
        below it; raises ConfigurationError without the token by which calls are signed.
        """
        if self._settings.auth_token is None:
            raise ConfigurationError(
                ["transports.twilio.auth_token: is required, because web.public_url is set"],
                remedy="Twilio signs what it calls back by this token, whatever key sends.",
            )
        self._address = address

    def status(self, call: Call) -> Callback:
        """What a status callback tells; raises for whatever is not signed by this account."""
        form = self._signed("status", call)
        return callback(form, fields(call.query), self._settings.account_sid)

    def inbound(self, call: Call) -> Reply:
        """The message that came in; raises for whatever is not signed by this account."""
        return reply(self._signed("inbound", call), self._settings.account_sid)

    def _signed(self, hook: str, call: Call) -> dict[str, str]:
        """The fields of a call that is signed for this hook's address; raises for any other."""
        if self._address is None:
            raise NotGenuine("no address of ours")
        url = f"{self._address}/{hook}"
        form = fields(call.body.decode("ascii"))
        self._verify(f"{url}?{call.query}" if call.query else url, form, call.headers)
        return form

    # What it tells when it is asked --------------------------------------------------------------

    def news(self, since: datetime) -> list[News]:
        """Every message of the account since then: its own, and those to our number."""
        found = self._call(
            lambda client: client.messages.list(date_sent_after=since, page_size=_PAGE)
        )
        return [
            News(each.date_sent, listed(each))
            for each in found
            if each.date_sent is not None and self._is_ours(each)
        ]

    def receipt(self, provider_id: str) -> Callback:
        """What is known of that message by now; raises `TransportError`."""
        told = listed(self._call(lambda client: client.messages(provider_id).fetch()))
        assert isinstance(told, Callback), "it was ours when it was sent"
        return told

    def _is_ours(self, record: Any) -> bool:
        """An account may have numbers that are somebody else's business."""
        if record.direction != "inbound":
            return True
        if self._settings.from_ is not None:
            return bool(record.to == self._settings.from_)
        return record.messaging_service_sid in (None, self._settings.messaging_service_sid)

    def _verify(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> None:
        signature = headers["x-twilio-signature"]
        tokens = (self._settings.auth_token, self._settings.auth_token_old)
        secrets = [each.get_secret_value() for each in tokens if each is not None]
        if not any(is_signed(url, form, signature, each) for each in secrets):
            raise NotGenuine("another signature")

    def _status_callback(self, message: Message) -> dict[str, str]:
        if self._address is None or message.attempt is None:
            return {}
        return {"status_callback": f"{self._address}/status?attempt={message.attempt}"}

    def _call(self, question: Any, message: Message | None = None) -> Any:
        line = self._pool.take() or _Line(self._settings)
        try:
            answer = question(line.client)
        except Exception as error:
            line.close()
            # Not chained: the client's own errors show numbers and texts.
            raise _translated(error, line, message) from None
        self._pool.give(line)
        return answer


class _Body(BytesIO):
    """The body of a request, which knows whether anybody has asked for it.

    It is asked for last, after the connection, the encryption and the head of the request.
    """

    asked = False

    def read(self, size: int | None = -1) -> bytes:
        self.asked = True
        return super().read(size)


class _Line:
    """A twilio client and the HTTP client under it: it has a timeout, asks once, logs nothing."""

    def __init__(self, settings: TwilioSettings) -> None:
        from requests import Session
        from twilio.rest import Client  # takes a fifth of a second: only where it is used

        self.body: _Body | None = None
        self.answer: Response | None = None
        self._timeout = settings.timeout
        self._session = Session()
        secret = settings.api_key_secret or settings.auth_token
        self.client: Any = Client(
            settings.api_key_sid or settings.account_sid,
            secret.get_secret_value() if secret else None,
            settings.account_sid,
            http_client=self,
            environment={"TWILIO_REGION": ""},  # else the process's own could choose the host
        )
        self.client.api.base_url = settings.api_base

    def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> "Response":
        """The one method that the twilio client asks of an HTTP client."""
        self.answer = self.body = None
        self.body = _Body(urlencode(data, doseq=True).encode()) if data else None
        self.answer = self._session.request(
            method,
            uri,
            params=params,
            data=self.body,
            headers=headers,
            auth=auth,
            timeout=timeout or self._timeout,
            allow_redirects=False,
        )
        return self.answer

    def close(self) -> None:
        self._session.close()


def _translated(error: Exception, line: _Line, message: Message | None) -> TransportError:
    if line.answer is None:
        return _broken(error, line.body)
    if line.answer.status_code < 300:
        return InDoubt(f"the answer cannot be read ({type(error).__name__})")
    return _refused(line.answer, message)


def _broken(error: Exception, body: "_Body | None") -> TransportError:
    """No whole answer came. Without its body, a request cannot have been accepted."""
    name = type(error).__name__
    if body is not None and body.asked:
        return InDoubt(f"the message left and no whole answer came ({name})")
    return Temporary(f"the message did not reach the provider ({name})")


def _refused(answer: "Response", message: Message | None) -> TransportError:
    """The error for an answer other than 2xx."""
    code, said = _fault(answer)
    kind, meaning = verdict(answer.status_code, code)
    private: tuple[str, ...] = ()
    if message:
        private = (message.to.lstrip("+"), *message.recipient_name.split(), message.text)
    shown = str(code or answer.status_code)
    text = f"{shown}: {meaning}" + (f" ({redacted(said, private)})" if said else "")
    if issubclass(kind, Temporary):
        return kind(text, code=shown, retry_after=_retry_after(answer))
    return kind(text, code=shown)


def _fault(answer: "Response") -> tuple[int | None, str]:
    """The provider's own code and words, of the old form or of the one of RFC 9457."""
    try:
        fault = answer.json()
        code, said = fault.get("code"), fault.get("message") or fault.get("title") or ""
    except (ValueError, AttributeError):
        return None, ""
    return (code if isinstance(code, int) else None), str(said)


def _retry_after(answer: "Response") -> timedelta | None:
    """The wished pause, in seconds or as a date (RFC 9110, section 10.2.3)."""
    asked = answer.headers.get("Retry-After", "")
    if re.fullmatch(r"\d{1,6}", asked, re.ASCII):
        return timedelta(seconds=int(asked))
    try:
        # By the provider's own clock: ours may differ.
        until, said_at = (parsedate_to_datetime(each) for each in (asked, answer.headers["Date"]))
        return max(until - said_at, timedelta())
    except (KeyError, ValueError, TypeError):
        return None
