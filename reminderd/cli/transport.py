"""`transport`: list, test."""

from typing import TYPE_CHECKING, Any

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json
from reminderd.cli.output import emit, table

if TYPE_CHECKING:
    from reminderd.settings import Settings


@click.group("transport")
def command() -> None:
    """Transports: what carries messages to a provider."""


@command.command("list")
@as_json
@pass_desk
def list_transports(desk: Desk, as_json: bool) -> None:
    """List every installed transport, and what it serves here."""
    from reminderd import transports

    listed = [_listed(desk.settings_if_any, name) for name in transports.names()]
    if as_json:
        emit({"transports": listed})
        return
    rows = [
        (
            each["name"],
            ", ".join(each["channels"]),
            "leaves the machine" if each["leaves_machine"] else "stays on the machine",
            ", ".join(each["serves"]),
        )
        for each in listed
    ]
    table(("Name", "Carries", "Messages", "Serves"), rows)


def _listed(settings: "Settings | None", name: str) -> dict[str, Any]:
    from reminderd import transports
    from reminderd.model import Channel

    found = transports.find(name)
    keys = settings.clinic_keys if settings else []
    return {
        "name": name,
        "channels": [channel for channel in Channel if channel in found.channels],
        "leaves_machine": found.leaves_machine,
        "configured": settings is not None and name in settings.transports,
        "serves": [
            f"{channel} of {key}"
            for key in keys
            for channel in Channel
            if settings and settings.transport_for(key, channel) == name
        ],
    }


@command.command("test")
@click.argument("name")
@as_json
@pass_desk
def test(desk: Desk, name: str, as_json: bool) -> None:
    """Reach the provider and prove the credentials, without sending anything."""
    from reminderd.bootstrap import build_transport
    from reminderd.errors import InDoubt, Temporary, TryAgainLater

    _require_section(desk, name)
    transport = build_transport(desk.settings, name)
    try:
        seen = transport.test()
    except (Temporary, InDoubt) as error:
        raise TryAgainLater(f"{name} cannot be reached now: {error}") from error
    finally:
        transport.close()
    if as_json:
        emit({"transport": name, "seen": seen})
    else:
        click.echo(f"✓ {name}: {seen}")


def _require_section(desk: Desk, name: str) -> None:
    from reminderd import transports
    from reminderd.errors import ConfigurationError

    transports.find(name)
    if name not in desk.settings.transports:
        raise ConfigurationError(
            [f"{desk.settings.path}: transports.{name}: is not configured"],
            remedy="`reminderd config schema` prints what its section may say",
        )
