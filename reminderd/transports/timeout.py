"""How long a provider may take: `"15s"` or `"2m"` in the settings, seconds inside."""

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_PATTERN = r"^([1-9]\d{0,3})([sm])$"


def seconds(value: object) -> float:
    """Read `"15s"` or `"2m"`; raises ValueError with what is expected."""
    match = re.fullmatch(_PATTERN, value, re.ASCII) if isinstance(value, str) else None
    if match is None:
        raise ValueError('is not a time to wait; write for example "15s" or "2m"')
    return float(match[1]) * (60 if match[2] == "m" else 1)


Timeout = Annotated[
    float, BeforeValidator(seconds), WithJsonSchema({"type": "string", "pattern": _PATTERN})
]
