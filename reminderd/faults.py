"""Mistakes in a TOML file, in words and with their place: `file:line: path: what is wrong`.

Shared by protocols and settings. pydantic is only spoken to here through the error it raised.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from reminderd.errors import FaultsFound
from reminderd.locate import KeyPath, line_of, lines

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError


class Fault(NamedTuple):
    """What is wrong with the value at `path`."""

    path: KeyPath
    message: str


def parse_toml(text: str, where: str) -> dict[str, Any]:
    """The data of a TOML text; raises FaultsFound with the line at which it stops being TOML."""
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except ValueError as error:
        message, line = _syntax_error(str(error), text)
        raise FaultsFound([f"{where}:{line}: {message}"]) from error
    except RecursionError as error:
        raise FaultsFound([f"{where}:1: brackets are nested too deeply"]) from error


def _syntax_error(message: str, text: str) -> tuple[str, int]:
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    if place is None:
        return f"is not valid TOML: {message}", 1
    line = int(place[1]) if place[1] else max(1, len(text.splitlines()))
    return f"is not valid TOML: {message[: place.start()]}", line


def dotted(path: KeyPath) -> str:
    """`("clinics", "main", "name")` as people write it; elements of lists count from 1."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def located(
    text: str, where: str, faults: Iterable[Fault], name: Callable[[KeyPath], str] = dotted
) -> list[str]:
    """Each fault with its place in a valid TOML text, in the order of the lines."""
    found = lines(text.removeprefix("\ufeff"))
    placed = sorted(
        (line_of(found, fault.path), name(fault.path), fault.message) for fault in faults
    )
    return [f"{where}:{line}: {path}: {message}" for line, path, message in dict.fromkeys(placed)]


def from_validation(
    error: "ValidationError", model: "type[BaseModel]", at: KeyPath = ()
) -> Iterator[Fault]:
    """What pydantic found, in our words; `at` is where the validated table stands in the file."""
    for each in error.errors(include_url=False, include_input=False):
        path = tuple(step for step in each["loc"] if step != "[key]")
        if each["type"] == "extra_forbidden":
            message = unknown_key(str(path[-1]), keys_at(model, path[:-1]))
        else:
            message = _message(each["type"], each["msg"], each.get("ctx", {}))
        yield Fault((*at, *path), message)


_MESSAGES = {
    "missing": "is required",
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false, without quotes",
    "list_type": 'must be a list, for example ["a", "b"]',
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "model_attributes_type": "must be a table",
    "string_too_short": "must not be empty",
    "too_short": "needs at least {min_length}",
    "too_long": "takes at most {max_length}",
    "string_pattern_mismatch": "is not of the form {pattern}; copy it again, whole",
    "literal_error": "must be {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "value_error": "{error}",
}


def _message(kind: str, fallback: str, context: dict[str, Any]) -> str:
    pattern = _MESSAGES.get(kind)
    return pattern.format(**context) if pattern else fallback[:1].lower() + fallback[1:]


def unknown_key(key: str, known: Iterable[str]) -> str:
    """What to say about a key that nobody knows."""
    known = sorted(known)
    hint = did_you_mean(key, known)
    return f"is not a known key{hint or '; known are ' + ', '.join(known)}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "…"?` for the closest of `known`, or nothing where none is close."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


def keys_at(model: "type[BaseModel]", path: KeyPath) -> list[str]:
    """The keys that a table at `path` may have."""
    fields = getattr(type_at(model, path), "model_fields", {})
    return [field.alias or name for name, field in fields.items()]


def type_at(model: "type[BaseModel]", path: KeyPath) -> Any:
    """The type that `model` wants at `path`, without an `| None`; None where it wants nothing."""
    wanted: Any = model
    for step in path:
        if hasattr(wanted, "model_fields"):
            fields = {field.alias or name: field for name, field in wanted.model_fields.items()}
            wanted = _not_none(fields[str(step)].annotation) if step in fields else None
        else:
            wanted = _not_none(get_args(wanted)[-1]) if get_args(wanted) else None
    return wanted


def _not_none(annotation: Any) -> Any:
    """`int` for `int | None`, the bare type for an annotated one."""
    if hasattr(annotation, "__metadata__"):
        return _not_none(annotation.__origin__)
    options = [each for each in get_args(annotation) if each is not type(None)]
    is_optional = len(options) == 1 and type(None) in get_args(annotation)
    return _not_none(options[0]) if is_optional else annotation
