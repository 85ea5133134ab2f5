"""How well the rules do on replies whose meaning is known: python -m tests.replies.table"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from reminderd.replies.words import RED_FLAGS, Meaning
from tests.replies.sample import CORPUS, HELD_OUT, Reply, missed, replies

SETS = (("Replies that the words were made with", CORPUS), ("Replies kept apart", HELD_OUT))


def tables() -> str:
    """Both sets, as the page in the docs shows them."""
    return "\n".join(line for title, folder in SETS for line in _set(title, replies(folder)))


def _set(title: str, many: Sequence[Reply]) -> Iterator[str]:
    yield f"### {title}\n"
    yield from _figures(many)
    yield from _confusion(many)


def _figures(many: Sequence[Reply]) -> Iterator[str]:
    """By language: how many red flags are found, and how many of those found are ones."""
    yield "| language | replies | red flags | found | called one | rightly | as expected |"
    yield "|---|---|---|---|---|---|---|"
    languages = sorted({each.language for each in many})
    for language in languages:
        yield _row(language, [each for each in many if each.language == language])
    yield _row("all", many)
    yield ""


def _row(name: str, many: Sequence[Reply]) -> str:
    flags = [each for each in many if each.expected[0] in RED_FLAGS]
    called = [each for each in many if each.read().meaning in RED_FLAGS]
    found = sum(not missed(each) for each in flags)
    rightly = sum(each.expected[0] in RED_FLAGS for each in called)
    right = sum(each.read().meaning is each.expected[0] for each in many)
    cells = (
        len(many),
        len(flags),
        f"{found} ({_percent(found, len(flags))})",
        len(called),
        f"{rightly} ({_percent(rightly, len(called))})",
        f"{right} ({_percent(right, len(many))})",
    )
    return f"| {name} | {' | '.join(map(str, cells))} |"


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


def _confusion(many: Iterable[Reply]) -> Iterator[str]:
    """A row for what a reply means, a column for what it is read as."""
    counted = Counter((each.expected[0], each.read().meaning) for each in many)
    yield f"| means ↓ read as → | {' | '.join(Meaning)} |"
    yield f"|---|{'---|' * len(Meaning)}"
    for means in Meaning:
        cells = (str(counted[means, read] or "·") for read in Meaning)
        yield f"| {means} | {' | '.join(cells)} |"
    yield ""


if __name__ == "__main__":
    print(tables())
