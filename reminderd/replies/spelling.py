"""Which word a misspelt one may have been meant to be. Pure.

One mistake is forgiven in a word of five letters and more, unless it is in the first letter: a
letter too many, missing, wrong, or swapped with its neighbour.
"""

from collections import defaultdict
from collections.abc import Iterable

SHORTEST = 5


class Speller:
    """Finds the words of a list that a misspelt one may stand for.

    `known` words are no mistakes: "fewer" is not a misspelt "fever".
    """

    def __init__(self, words: Iterable[str], known: Iterable[str]) -> None:
        self._known = frozenset(known)
        self._near: dict[str, set[str]] = defaultdict(set)
        for word in words:
            for rest in _shortened(word) if len(word) >= SHORTEST else ():
                self._near[rest].add(word)

    def guesses(self, text: str) -> frozenset[str]:
        """The words that `text` may have been meant to be; none where it is right as it is."""
        if len(text) < SHORTEST - 1 or text in self._known or not text.isalpha():
            return frozenset()
        near = {word for rest in _shortened(text) for word in self._near.get(rest, ())}
        return frozenset(word for word in near if _is_one_mistake(text, word))


def _shortened(word: str) -> set[str]:
    """The word, and the word without any one letter but the first."""
    return {word, *(word[:at] + word[at + 1 :] for at in range(1, len(word)))}


def _is_one_mistake(text: str, word: str) -> bool:
    """Whether they differ by one mistake at most; both are known to share all but a letter."""
    if text[0] != word[0] or len(text) != len(word):
        return text[0] == word[0]
    wrong = [at for at, letter in enumerate(text) if letter != word[at]]
    if len(wrong) != 2:
        return len(wrong) < 2
    one, next_ = wrong
    swapped = text[one] == word[next_] and text[next_] == word[one]
    return swapped and next_ == one + 1
