"""The ways out of the house: a transport is one class, found by its entry point."""

from functools import cache
from typing import TYPE_CHECKING

from reminderd.errors import ConfigurationError, NotFound, shown

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from reminderd.interfaces import Transport

GROUP = "reminderd.transports"


def names() -> list[str]:
    """The names of all installed transports, sorted; none of them is loaded."""
    return sorted({point.name for point in _entry_points()})


def find(name: str) -> "type[Transport]":
    """The class of the transport of that name, loaded now.

    Raises NotFound for an unknown name, ConfigurationError where two packages offer the same name
    or the package cannot be loaded.
    """
    points = {point.value: point for point in _entry_points() if point.name == name}
    if not points:
        raise _unknown(name)
    if len(points) > 1:
        offers = ", ".join(sorted(points))
        raise ConfigurationError(
            [f"transports.{name}: more than one package offers it: {offers}"],
            remedy="Uninstall the one that you do not mean.",
        )
    return _load(next(iter(points.values())))


@cache
def _entry_points() -> "tuple[EntryPoint, ...]":
    """Of all that is installed; searched once a process, as that takes a while."""
    from importlib.metadata import entry_points  # slow to import, and often not needed

    return tuple(entry_points(group=GROUP))


def _load(point: "EntryPoint") -> "type[Transport]":
    try:
        loaded: type[Transport] = point.load()
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(
            [f"transports.{point.name}: {point.value} cannot be loaded: {error}"],
            remedy="Install the package again, with everything that it needs.",
        ) from error
    return loaded


def _unknown(name: str) -> NotFound:
    from difflib import get_close_matches

    close = get_close_matches(name, names(), n=1)
    hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(names())}."
    return NotFound(f"there is no transport {shown(name)}", remedy=hint)
