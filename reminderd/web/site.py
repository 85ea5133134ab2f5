"""What is served, at its path: the hooks to everybody, how it goes to this machine alone."""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from reminderd.interfaces import Transport
from reminderd.transports.privacy import is_loopback
from reminderd.web import Shown, hooks, unsubscribe
from reminderd.web.allowance import Allowance
from reminderd.web.health import Health
from reminderd.web.inbox import Inbox
from reminderd.web.metrics import CONTENT_TYPE, Metrics
from reminderd.wishes import Wishes

Page = Callable[[Request], Awaitable[Response]]


def application(
    transports: Mapping[str, Transport],
    health: Health,
    open_things: ExitStack,
    wishes: Callable[[], Wishes] | None,
    shown: Shown,
) -> Starlette:
    """Everything at its path; what is not here is 404, another method 405."""
    allowance = Allowance(time.monotonic)
    inbox = Inbox(health.outbox, health.clock)
    open_things.callback(inbox.close)
    open_things.callback(health.close)
    pages: dict[str, Page] = {
        "/readyz": partial(_readyz, health),
        "/metrics": partial(_metrics, health, Metrics(health)),
    }
    served = Starlette(
        routes=[
            Route("/healthz", _healthz),
            *(
                Route(path, page if shown.for_all else partial(_for_this_machine, page))
                for path, page in pages.items()
            ),
            *hooks.routes(transports, inbox, allowance, shown.missed),
            *(unsubscribe.routes(wishes, inbox, allowance) if wishes else ()),
        ]
    )
    served.router.redirect_slashes = False  # the address would come from a header
    return served


async def _for_this_machine(page: Page, request: Request) -> Response:
    peer = request.client.host if request.client else ""
    return await page(request) if is_loopback(peer) else Response(status_code=404)


async def _healthz(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _readyz(health: Health, _: Request) -> Response:
    reasons = await health.reasons()
    text = "".join(f"{each}\n" for each in reasons or ["ready"])
    return PlainTextResponse(text, 503 if reasons else 200)


async def _metrics(health: Health, metrics: Metrics, _: Request) -> Response:
    try:
        text = await health.ask(metrics.text)
    except Exception as error:
        return PlainTextResponse(f"no figures: {type(error).__name__}\n", 503)
    return Response(text, headers={"Content-Type": CONTENT_TYPE})
