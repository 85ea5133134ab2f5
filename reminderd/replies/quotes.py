"""What of a reply is only our own message, sent back. Pure.

Phones and mail programs repeat what they answer, and every check-in names the red flags.
"""

from collections.abc import Iterable, Sequence

from reminderd.replies.tokens import Token

LONG_ENOUGH = 15  # words in a row: nobody copies as many to say that they are true


def unquoted(tokens: Sequence[Token], sent: Iterable[Sequence[Token]]) -> list[Token]:
    """The words of a reply without those that stand in the same long row in what was sent."""
    rows = {row for each in sent for row in _rows(each)}
    if not rows:
        return list(tokens)
    quoted = {
        at
        for start, row in enumerate(_rows(tokens))
        if row in rows
        for at in range(start, start + LONG_ENOUGH)
    }
    return [
        token._replace(after_break=True) if at - 1 in quoted else token
        for at, token in enumerate(tokens)
        if at not in quoted
    ]


def _rows(tokens: Sequence[Token]) -> list[tuple[str, ...]]:
    words = [token.text for token in tokens]
    return [tuple(words[at : at + LONG_ENOUGH]) for at in range(len(words) - LONG_ENOUGH + 1)]
