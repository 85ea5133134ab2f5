"""How well the rules do on replies whose meaning is known: python -m tests.replies.table

Prints the tables and writes them into docs/replies.md.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from reminderd.replies.words import RED_FLAGS, Meaning
from tests.replies.sample import CORPUS, HELD_OUT, RULES, Reply, missed, replies

PAGE = Path(__file__).parents[2] / "docs" / "replies.md"
SETS = (("Replies that the words were made with", CORPUS), ("Replies kept apart", HELD_OUT))


def filled(page: str) -> str:
    """The page with its tables as they are now."""
    for name, lines in (("rules", _rules()), ("figures", _sets())):
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        text = "\n".join([begin, "", *lines, "", end])
        page = re.sub(f"{begin}.*{end}", lambda _, text=text: text, page, flags=re.DOTALL)
    return page


def _rules() -> Iterator[str]:
    yield "| rule | meaning | is | source | read as |"
    yield "|---|---|---|---|---|"
    for rule in RULES.rules:
        cells = (f"`{rule.id}`", rule.meaning, rule.says, rule.source, rule.note or "")
        yield f"| {' | '.join(cells)} |"


def _sets() -> Iterator[str]:
    for title, folder in SETS:
        many = replies(folder)
        yield f"### {title}\n"
        yield from _figures(many)
        yield ""
        yield from _confusion(many)
        if folder is not SETS[-1][1]:
            yield ""


def _figures(many: Sequence[Reply]) -> Iterator[str]:
    """By language: how many red flags are found, and how many of those called one are ones."""
    yield "| language | replies | red flags | found | called one | rightly | as expected |"
    yield "|---|---|---|---|---|---|---|"
    for language in sorted({each.language for each in many}):
        yield _row(language, [each for each in many if each.language == language])
    yield _row("all", many)


def _row(name: str, many: Sequence[Reply]) -> str:
    flags = [each for each in many if each.expected[0] in RED_FLAGS]
    called = [each for each in many if each.read().meaning in RED_FLAGS]
    found = sum(not missed(each) for each in flags)
    rightly = sum(each.expected[0] in RED_FLAGS for each in called)
    right = sum(each.read().meaning is each.expected[0] for each in many)
    cells = (
        name,
        len(many),
        len(flags),
        _share(found, len(flags)),
        len(called),
        _share(rightly, len(called)),
        _share(right, len(many)),
    )
    return f"| {' | '.join(map(str, cells))} |"


def _share(part: int, whole: int) -> str:
    return f"{part} ({100 * part / whole:.1f} %)"


def _confusion(many: Iterable[Reply]) -> Iterator[str]:
    """A row for what a reply means, a column for what it is read as."""
    counted = Counter((each.expected[0], each.read().meaning) for each in many)
    yield f"| means, read as | {' | '.join(Meaning)} |"
    yield f"|---|{'---|' * len(Meaning)}"
    for means in Meaning:
        cells = (str(counted[means, read] or "·") for read in Meaning)
        yield f"| **{means}** | {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print("\n".join(_sets()))
