"""`alerts`: test."""

from typing import TYPE_CHECKING, Any

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json as json_option

if TYPE_CHECKING:
    from reminderd.settings import Settings


@click.group("alerts")
def command() -> None:
    """Who at the clinic is told what cannot wait."""


@command.command("test")
@json_option
@pass_desk
def test(desk: Desk, as_json: bool) -> None:
    """Send everybody in [alerts] one that says it is a test; exit code 75 where one failed."""
    from reminderd.cli.output import emit
    from reminderd.errors import TryAgainLater

    told = _told(desk)
    if as_json:
        emit({"alerts": told})
    else:
        for each in told:
            failed = f" {each['error']}" if each["error"] else ""
            click.echo(f"{'✗' if failed else '✓'} {each['recipient']}{failed}")
    failures = sum(each["error"] is not None for each in told)
    if failures:
        raise TryAgainLater(
            f"not taken: {failures} of {len(told)}",
            remedy="Mend [alerts], or the transport for mail, and test again.",
        )


def _told(desk: Desk) -> list[dict[str, Any]]:
    from reminderd.alert_page import alert_page
    from reminderd.alerting import mail, ways, written
    from reminderd.errors import ConfigurationError, TransportError
    from reminderd.vocabulary import AlertWords

    settings, now = desk.settings, desk.clock.now()
    serving = _serving(settings)
    try:
        by = ways(settings, serving)
        if not by.recipients.has_anybody:
            raise ConfigurationError(
                [f"{settings.path}: alerts: nobody is named"],
                remedy="Name mailboxes in [alerts] to, or services in notify.",
            )
        clinic = settings.clinic(settings.clinic_keys[0], lambda _: False)
        words = AlertWords("test", "test")
        page = written(settings, lambda texts: alert_page(texts, clinic, words, now))
        message = mail(f"alert-test-{now:%Y%m%dT%H%M%S}", page, clinic, now)
        told = []
        for each in by.recipients.all:
            error = None
            try:
                by.send(each, page, message)
            except TransportError as refused:
                error = str(refused)
            told.append({"recipient": each, "error": error})
        return told
    finally:
        for transport in serving.values():
            transport.close()


def _serving(settings: "Settings") -> dict[str, Any]:
    """The transport that carries mail, where there is one to carry."""
    from reminderd.bootstrap import build_transport
    from reminderd.model import Channel

    name = settings.transport_for(settings.clinic_keys[0], Channel.EMAIL)
    given = settings.sections.alerts
    return {name: build_transport(settings, name)} if name and (given.to or given.second) else {}
