"""From a Markdown text to an HTML mail in which no value can be taken for markup.

Templates write values between two marks. Markdown only ever sees a numbered slot in the place of
a value, and the value, escaped, is put into the finished HTML. As the text around the slots is
the same for everybody, its HTML is made once.
"""

import html
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_OPEN, _CLOSE = "\ue000", "\ue001"
_VALUE = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}")
_MARKDOWN = re.compile(r"[\\`*_\[\]<>|&#~]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")

# A grey that is seen on white and on black; `start` is the right in a language that begins there.
_CELL = "padding:8px 6px;text-align:start;vertical-align:top;border-bottom:1px solid #888888"
_TABLE = {"table": "width:100%;border-collapse:collapse", "th": _CELL, "td": _CELL}

_DOCUMENT = """\
<!doctype html>
<html lang="{language}" dir="{direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
</head>
<body style="margin:0;padding:24px 16px">
<main lang="{language}" dir="{direction}"
  style="max-width:36em;margin:0 auto;font:17px/1.6 system-ui,sans-serif">
{body}</main>
</body>
</html>
"""


def marked(value: str) -> str:
    """`value` between marks, so that `document` knows it from the text of the template."""
    return f"{_OPEN}{unmarked(value)}{_CLOSE}"


def unmarked(text: str) -> str:
    """`text` as a person reads it."""
    return text.replace(_OPEN, "").replace(_CLOSE, "")


def one_line(text: str) -> str:
    """Marked text as a person reads it, on one line."""
    return " ".join(unmarked(text).split())


def paragraphs_as_lines(text: str) -> str:
    """Line breaks in a template are for its author; a blank line is one for the reader."""
    paragraphs = (" ".join(each.split()) for each in re.split(r"\n[ \t]*\n", text))
    return "\n".join(filter(None, paragraphs))


def without_gaps(text: str) -> str:
    """Paragraphs a single blank line apart."""
    return re.sub(r"\n\s*\n", "\n\n", text.strip())


def left_to_right(number: str) -> str:
    """`number` between marks without which right-to-left text shows its groups in reverse.

    Marks and not isolates: phones without any notion of isolates know them, at the same cost.
    """
    return f"\u200e{number}\u200f"


def document(body: str, title: str, language: str, right_to_left: bool) -> str:
    """A whole HTML document around the HTML of a mail in a language such as `pt_BR`."""
    for tag, style in _TABLE.items():  # many mail readers know no style sheets
        body = body.replace(f"<{tag}>", f'<{tag} style="{style}">')
    return _DOCUMENT.format(
        language=html.escape(language.replace("_", "-")),
        direction="rtl" if right_to_left else "ltr",
        title=html.escape(title),
        body=body,
    )


def fragment(text: str, right_to_left: bool) -> str:
    """The HTML of marked Markdown; ValueError where a value is inside the address of a link."""
    values: list[str] = _VALUE.findall(text)
    numbers = iter(range(len(values)))
    body = _body(_VALUE.sub(lambda _: f"{_OPEN}{next(numbers)}{_CLOSE}", text), len(values))
    return _VALUE.sub(lambda slot: _escaped(values[int(slot[1])], right_to_left), body)


def markdown(text: str, blank: str) -> str:
    """Marked Markdown as Markdown in which values read as they were typed, and `blank`s stay."""

    def typed(slot: re.Match[str]) -> str:
        return blank.join(map(_as_typed, slot[1].split(blank)))

    return _VALUE.sub(typed, text)


def _as_typed(value: str) -> str:
    escaped = _MARKDOWN.sub(r"\\\g<0>", re.sub(r"[\r\n]+", " ", value))
    return re.sub(r"^(\s*\d*)([-+.)=])(?!\d)", r"\1\\\2", escaped)


def _escaped(value: str, right_to_left: bool) -> str:
    """Literally as typed; kept apart where it may run against the direction of the mail."""
    escaped = html.escape(value)
    if right_to_left or _RIGHT_TO_LEFT.search(value):
        return f"<bdi>{escaped}</bdi>"
    return escaped


@lru_cache(maxsize=4096)
def _body(text: str, slots: int) -> str:
    body = str(_markdown().render(text))
    if len(_VALUE.findall(body)) != slots:
        raise ValueError("a variable cannot stand inside the address of a link or an image")
    return body


@lru_cache(maxsize=1)
def _markdown() -> "MarkdownIt":
    from markdown_it import MarkdownIt  # slow to import, and only mails and leaflets need it

    return MarkdownIt("commonmark", {"html": False}).enable("table")
