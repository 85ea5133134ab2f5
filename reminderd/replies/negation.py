"""Whether a text says of a symptom that it is not there. Pure.

A word denies only what it stands directly before, with nothing but harmless words between them:
"no sign of fever" has none, "no fever but my lip is swelling" and "no sleep, fever" do. In doubt a
symptom is there.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from reminderd.replies.phrases import Match
from reminderd.replies.tokens import Token
from reminderd.replies.words import LINKS, NEGATION, NEGATION_AFTER, NO_NEGATION, OR, ReplyRules


class Denials:
    """What is denied in one text."""

    def __init__(
        self,
        tokens: Sequence[Token],
        found: Mapping[str, Sequence[Match]],
        rules: ReplyRules,
        *,
        asks: bool,
    ) -> None:
        self._tokens = tokens
        self._asks = asks
        self._undeniable = rules.undeniable
        symptoms = [each for name in rules.symptoms for each in found.get(name, ())]
        self._before = _reach(tokens, found, symptoms)
        self._after: dict[int, list[int]] = defaultdict(list)
        for each in found.get(NEGATION_AFTER, ()):
            self._after[each.start].append(each.end)

    def of(self, match: Match) -> range | None:
        """The words by which a symptom is denied, itself among them; None where it stands."""
        if match.name in self._undeniable:
            return None
        start = self._before[match.start]
        if start is not None:
            return range(start, match.end)
        end = self._denied_after(match)
        return None if end is None else range(match.start, end)

    def _denied_after(self, match: Match) -> int | None:
        """ "Fever no", and nothing else: in any longer thought the "no" may mean anything."""
        if self._asks or not self._tokens[match.start].after_break:
            return None
        for end in self._after.get(match.end, ()):
            closed = end == len(self._tokens) or self._tokens[end].after_break
            if closed and not _is_broken(self._tokens, match.start, end):
                return end
        return None


def _reach(
    tokens: Sequence[Token], found: Mapping[str, Sequence[Match]], symptoms: Sequence[Match]
) -> list[int | None]:
    """For each word, where the denial begins that reaches up to it."""
    # Within a symptom it denies nothing: "cannot breathe", "does not stop".
    excepted = _places(each for each in symptoms if each.end - each.start > 1)
    excepted |= _places(found.get(NO_NEGATION, ()))
    negations = {
        each.end: each.start
        for each in found.get(NEGATION, ())
        if each.start not in excepted and not _is_broken(tokens, each.start, each.end)
    }
    links, ors = _places(found.get(LINKS, ())), _places(found.get(OR, ()))
    listed = {at for at in _places(symptoms) if at + 1 in ors}
    reach: list[int | None] = []
    for at, token in enumerate(tokens):
        if token.after_break:
            reach.append(None)
        elif at in negations:
            reach.append(negations[at])
        else:
            passes = at - 1 in links or at - 1 in ors or at - 1 in listed
            reach.append(reach[at - 1] if passes else None)
    return reach


def _is_broken(tokens: Sequence[Token], start: int, end: int) -> bool:
    """Whether these words belong to two thoughts: "No, tengo fiebre" is no "no tengo"."""
    return any(token.after_break for token in tokens[start + 1 : end])


def _places(matches: Iterable[Match]) -> frozenset[int]:
    return frozenset(at for each in matches for at in range(each.start, each.end))
