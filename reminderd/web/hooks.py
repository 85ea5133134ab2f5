"""The hooks of each provider that calls: what it has signed is kept, and nothing else happens."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from reminderd.errors import ReminderdError, TryAgainLater
from reminderd.interfaces import Mailbox, Receiver, Transport
from reminderd.outbox_values import Call
from reminderd.web.allowance import Allowance
from reminderd.web.inbox import Inbox, Write

log = logging.getLogger(__name__)

LONGEST_BODY = 64 * 1024
TOLD_EVERY_SECONDS = 60.0

Believe = Callable[[Call], Write]  # raises anything for what is not proven genuine


def routes(
    transports: Mapping[str, Transport],
    inbox: Inbox,
    allowance: Allowance,
    missed: Callable[[], None],
) -> Iterator[Route]:
    """A path for each thing that one of these transports' providers may tell.

    `missed` hears of each call that was turned away unseen, or could not be kept.
    """
    hooks = _Hooks(inbox, allowance, missed)
    for name, transport in transports.items():
        if isinstance(transport, Receiver):
            path = f"/hooks/{name}/status"
            answer = partial(hooks.answer, path, partial(_status, transport), Response, 204)
            yield Route(path, answer, methods=["POST"])
        if isinstance(transport, Mailbox):
            path = f"/hooks/{name}/inbound"
            kind, text = transport.acknowledgement
            thanks = partial(Response, text, media_type=kind)
            answer = partial(hooks.answer, path, partial(_inbound, name, transport), thanks, 200)
            yield Route(path, answer, methods=["POST"])


def _status(receiver: Receiver, call: Call) -> Write:
    callback = receiver.status(call)
    return lambda outbox, now: outbox.keep_callback(callback, now)


def _inbound(name: str, mailbox: Mailbox, call: Call) -> Write:
    reply = mailbox.inbound(call)
    return lambda outbox, now: outbox.keep_reply(name, reply, now)


class _Hooks:
    def __init__(self, inbox: Inbox, allowance: Allowance, missed: Callable[[], None]) -> None:
        self._inbox = inbox
        self._missed = missed
        self._allowance = allowance
        self._told_at = float("-inf")

    async def answer(
        self, path: str, believe: Believe, thanks: Callable[..., Response], status: int,
        request: Request,
    ) -> Response:  # fmt: skip
        """2xx once it is durable; 403 for whatever the provider has not signed, and nothing else
        happens then. 429 where too much came that was not.
        """
        peer = request.client.host if request.client else "127.0.0.1"
        if not self._allowance.take(peer):
            self._missed()
            return Response(status_code=429, headers={"Retry-After": "1"})
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        write = self._believed(path, believe, request, body)
        if write is None:
            return Response(status_code=403)
        self._allowance.give_back(peer)
        try:
            await self._inbox.keep(write)
        except TryAgainLater as error:
            log.warning("what came to %s was not kept: %s", path, error)
            self._missed()
            return Response(status_code=503, headers={"Retry-After": "30"})
        return thanks(status_code=status)

    def _believed(self, path: str, believe: Believe, request: Request, body: bytes) -> Write | None:
        try:
            query = request.scope["query_string"].decode("ascii")
            return believe(Call(query, body, dict(request.headers)))
        except Exception as error:
            self._tell_refused(path, error)
            return None

    def _tell_refused(self, path: str, error: Exception) -> None:
        """Now and then: whoever finds the address could fill the log, and with words of theirs."""
        if time.monotonic() - self._told_at >= TOLD_EVERY_SECONDS:
            self._told_at = time.monotonic()
            log.warning(
                "a call to %s was refused (%s); where that goes on, compare "
                "web.public_url with the address that the provider calls, and the token",
                path,
                error.message if isinstance(error, ReminderdError) else type(error).__name__,
            )


async def _body(request: Request) -> bytes | None:
    """The whole body; None where it is too long, or breaks off."""
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > LONGEST_BODY:
                return None
    except ClientDisconnect:
        return None
    return bytes(body)
