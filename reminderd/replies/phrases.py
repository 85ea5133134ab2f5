"""Where the words of the lists stand in a text. Pure.

Words are compared one by one, so the time grows with the length of the text and nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from reminderd.replies.spelling import Speller
from reminderd.replies.tokens import Token, split

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
SHORTEST_STEM = 3


class Phrase(NamedTuple):
    """Words in a row; one that ends in `*` stands for all that begin like it."""

    words: tuple[str, ...]
    name: str  # of the list that it is on
    language: str
    forgiving: bool  # misspelt, it still counts


class Match(NamedTuple):
    """A phrase of the list `name` stands at `start` and ends before `end`."""

    start: int
    end: int
    name: str
    language: str


def phrases(text: str, name: str, language: str, *, forgiving: bool) -> Iterator[Phrase]:
    """Every way to write one entry of a list: "don't" also as "dont", "Rötung" as "Roetung"."""
    written = {text, text.replace("'", ""), text.translate(_UMLAUTS)}
    for each in sorted({_words(text) for text in written}):
        if each:
            yield Phrase(each, name, language, forgiving)


@dataclass(slots=True)
class _Node:
    """What may follow after some words, and the phrases that end there."""

    whole: dict[str, "_Node"] = field(default_factory=dict)
    stems: dict[str, "_Node"] = field(default_factory=dict)
    lengths: list[int] = field(default_factory=list)  # of the stems, ascending
    ends: list[tuple[str, str]] = field(default_factory=list)  # list, language

    def add(self, phrase: Phrase) -> None:
        node = self
        for word in phrase.words:
            edges = node.stems if word.endswith("*") else node.whole
            if word.endswith("*"):
                node.lengths = sorted({*node.lengths, len(word) - 1})
            node = edges.setdefault(word.removesuffix("*"), _Node())
        node.ends.append((phrase.name, phrase.language))

    def after(self, forms: Iterable[str]) -> Iterator["_Node"]:
        """What may follow after one more word, in any of its forms."""
        for form in forms:
            if form in self.whole:
                yield self.whole[form]
            for length in self.lengths:
                if length > len(form):
                    break
                if form[:length] in self.stems:
                    yield self.stems[form[:length]]


class Dictionary:
    """Every list in every language, to be looked for in a text at once.

    `known` are further words that are right as they are.
    """

    def __init__(self, entries: Iterable[Phrase], known: Iterable[str]) -> None:
        self._exact, self._forgiving = _Node(), _Node()
        words, forgiven = set(known), set()
        for entry in entries:
            (self._forgiving if entry.forgiving else self._exact).add(entry)
            plain = {each for each in entry.words if not each.endswith("*")}
            words |= plain
            forgiven |= plain if entry.forgiving else set()
        self._speller = Speller(forgiven, words)

    def find(self, tokens: Sequence[Token]) -> dict[str, list[Match]]:
        """By list, where its entries stand in the text, in order."""
        written = [token.forms for token in tokens]
        meant = [forms.union(*map(self._speller.guesses, forms)) for forms in written]
        found: dict[str, dict[Match, None]] = defaultdict(dict)
        for start in range(len(tokens)):
            for root, words in ((self._exact, written), (self._forgiving, meant)):
                for match in _beginning_at(start, root, words):
                    found[match.name][match] = None
        return {name: list(matches) for name, matches in found.items()}


def _beginning_at(start: int, root: _Node, words: Sequence[Iterable[str]]) -> Iterator[Match]:
    nodes, at = list(root.after(words[start])), start + 1
    while nodes:
        for node in nodes:
            for name, language in node.ends:
                yield Match(start, at, name, language)
        if at == len(words):
            return
        nodes = [follower for node in nodes for follower in node.after(words[at])]
        at += 1


def _words(text: str) -> tuple[str, ...]:
    words: list[str] = []
    for part in text.split():
        words.extend(token.text for token in split(part.removesuffix("*")))
        if part.endswith("*") and words:
            words[-1] += "*"
    return tuple(words)
