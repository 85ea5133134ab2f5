"""Draws the pictures of the terminal from what the program prints: python -m docs.pictures"""

import html
import io
import re
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from docs.console import COLUMNS, Sitting

IMAGES = Path(__file__).parent / "images"
ENROL = (
    'reminderd enrol --given-name Ana --phone "+34 600 000 001" --consent sms '
    "--protocol mesotherapy --at 2026-03-27T14:30"
)
PLAN = "reminderd plan mesotherapy --at 2026-03-27T14:30 --timezone Europe/Madrid --tag weight-loss"

# Each picture: when it is, what was typed before, what is typed.
PICTURES = {
    "plan": ("2026-03-27T12:00+01:00", ("reminderd init .",), PLAN),
    "day-0": (
        "2026-03-27T14:40+01:00",
        ("reminderd init .", ENROL),
        "reminderd run --dry-run --once",
    ),
}
# Without the fonts that the original fetches from somebody else's server.
_FORMAT = re.sub(r"@font-face \{\{.*?\}\}|<!--.*?-->", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def screen(name: str) -> Text:
    """What the terminal of that picture shows."""
    at, before, line = PICTURES[name]
    with TemporaryDirectory() as folder:
        sitting = Sitting(Path(folder), datetime.fromisoformat(at))
        for each in before:
            sitting.types(each)
        answer = Text.from_ansi(sitting.types(line))
    answer.rstrip()
    return Text.assemble(("$ ", "dim"), (line, "bold"), "\n\n", answer)


def picture(name: str) -> str:
    """The screen as SVG."""
    width = max(COLUMNS, len(PICTURES[name][2]) + 2)
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(screen(name), soft_wrap=True, highlight=False)
    return console.export_svg(title="reminderd", code_format=_FORMAT, unique_id=name)


def letters(text: str) -> str:
    """A text without spaces, for these are drawn as places."""
    return "".join(text.split())


def letters_in(svg: str) -> str:
    """What a picture says, however it is drawn."""
    texts = re.findall(r"<text[^>]*-r\d+\"[^>]*>(.*?)</text>", svg)
    return letters(html.unescape("".join(texts)))


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    for name in PICTURES:
        (IMAGES / f"{name}.svg").write_text(picture(name), encoding="utf-8")
