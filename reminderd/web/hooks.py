"""What is served: whether the process lives, and the hooks of each provider that calls."""

import logging
import time
from collections.abc import Mapping
from functools import partial

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from reminderd.errors import ReminderdError, TryAgainLater
from reminderd.interfaces import Callback, Receiver
from reminderd.outbox_values import Call
from reminderd.web.inbox import Inbox

log = logging.getLogger(__name__)

LONGEST_BODY = 64 * 1024
TOLD_EVERY_SECONDS = 60.0


def application(receivers: Mapping[str, Receiver], inbox: Inbox) -> Starlette:
    """Everything at its path; what is not here is 404, another method 405."""
    hooks = _Hooks(inbox)
    routes = [Route("/healthz", _healthz)]
    for name, receiver in receivers.items():
        answer = partial(hooks.status, name, receiver)
        routes.append(Route(f"/hooks/{name}/status", answer, methods=["POST"]))
    served = Starlette(routes=routes)
    served.router.redirect_slashes = False  # the address would come from a header
    return served


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok")


class _Hooks:
    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._told_at = float("-inf")

    async def status(self, name: str, receiver: Receiver, request: Request) -> Response:
        """204 once it is durable; 403 for whatever the provider has not signed, and nothing else
        happens then.
        """
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        callback = self._believed(name, receiver, request, body)
        if callback is None:
            return Response(status_code=403)
        try:
            await self._inbox.keep(callback)
        except TryAgainLater as error:
            log.warning("what %s told was not kept: %s", name, error)
            return Response(status_code=503, headers={"Retry-After": "30"})
        return Response(status_code=204)

    def _believed(
        self, name: str, receiver: Receiver, request: Request, body: bytes
    ) -> Callback | None:
        try:
            query = request.scope["query_string"].decode("ascii")
            return receiver.status(Call(query, body, dict(request.headers)))
        except Exception as error:
            self._tell_refused(name, error)
            return None

    def _tell_refused(self, name: str, error: Exception) -> None:
        """Now and then: whoever finds the address could fill the log, and with words of theirs."""
        if time.monotonic() - self._told_at >= TOLD_EVERY_SECONDS:
            self._told_at = time.monotonic()
            log.warning(
                "a call to /hooks/%s/status was refused (%s); where that goes on, compare "
                "web.public_url with the address that the provider calls, and the token",
                name,
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
