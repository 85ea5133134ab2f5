"""Where the *Unsubscribe* button of a mail leads: one click of a mail program, or a page with one.

A look changes nothing (RFC 8058): mail scanners open every link.
"""

import html
import logging
from collections.abc import Callable, Iterator
from datetime import datetime

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from reminderd.errors import TryAgainLater
from reminderd.model import Clinic, Patient
from reminderd.web.allowance import Allowance
from reminderd.web.inbox import Inbox
from reminderd.web.unsubscribe_words import RIGHT_TO_LEFT, words_in
from reminderd.wishes import Wishes

log = logging.getLogger(__name__)

PATH = "/unsubscribe/{token:str}"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
}
PAGE = """<!doctype html>
<html lang="{language}" dir="{direction}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{font:1.1em sans-serif;max-width:32em;margin:3em auto;padding:0 1em}}
button{{font:inherit;padding:.6em 1.2em}}</style></head>
<body><p>{text}</p>
{form}<p>{call} <bdi>{phone}</bdi></p></body>
</html>
"""
FORM = '<form method="post"><button name="List-Unsubscribe" value="One-Click">{}</button></form>\n'


def routes(wishes: Callable[[], Wishes], inbox: Inbox, allowance: Allowance) -> Iterator[Route]:
    """The page and the click, at the same address."""
    site = _Unsubscribing(wishes, inbox, allowance)
    yield Route(PATH, site.show, methods=["GET"])
    yield Route(PATH, site.withdraw, methods=["POST"])


class _Unsubscribing:
    def __init__(self, wishes: Callable[[], Wishes], inbox: Inbox, allowance: Allowance) -> None:
        self._wishes = wishes
        self._inbox = inbox
        self._allowance = allowance

    async def show(self, request: Request) -> Response:
        """The page that asks; 404 for a token that is none of ours."""
        return await self._answer(request, is_done=False)

    async def withdraw(self, request: Request) -> Response:
        """Says that it is done once that is durable; 404 as above, and nothing changes."""
        return await self._answer(request, is_done=True)

    async def _answer(self, request: Request, is_done: bool) -> Response:
        peer = request.client.host if request.client else "127.0.0.1"
        if not self._allowance.take(peer):
            return Response(status_code=429, headers={"Retry-After": "1"})
        token: str = request.path_params["token"]
        pages: list[str] = []
        try:
            await self._inbox.keep(lambda _, now: pages.extend(self._pages(token, now, is_done)))
        except TryAgainLater as error:
            log.warning("somebody who unsubscribes was asked to come back: %s", error)
            return Response(status_code=503, headers={"Retry-After": "30"})
        if not pages:
            return Response(status_code=404, headers=HEADERS)
        self._allowance.give_back(peer)
        return HTMLResponse(pages[0], headers=HEADERS)

    def _pages(self, token: str, now: datetime, is_done: bool) -> Iterator[str]:
        """What the patient reads, whose token it is; nothing for any other."""
        wishes = self._wishes()
        patient = wishes.unsubscribe(token, now) if is_done else wishes.unsubscribing(token)
        if patient is not None:
            yield _page(patient, wishes.clinic_of(patient), is_done)


def _page(patient: Patient, clinic: Clinic | None, is_done: bool) -> str:
    language, words = words_in(patient.language or (clinic.language if clinic else "en"))
    name = f"<bdi>{html.escape(clinic.name if clinic else '')}</bdi>"
    return PAGE.format(
        language=language,
        direction="rtl" if language in RIGHT_TO_LEFT else "ltr",
        title=html.escape(words.title),
        text=html.escape(words.done if is_done else words.question).replace("{clinic}", name),
        form="" if is_done else FORM.format(html.escape(words.button)),
        call=html.escape(words.call),
        phone=html.escape(clinic.phone if clinic else ""),
    )
