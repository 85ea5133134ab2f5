"""What a patient's reply means. Pure: the rules are given.

Nothing here judges how a patient is. It finds words that a person at the clinic has to see, and it
calls a reply good only where every word of it is known. Everything else is unclear.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from reminderd.replies.negation import Denials
from reminderd.replies.phrases import Match
from reminderd.replies.quotes import unquoted
from reminderd.replies.tokens import Token, asks, is_word, split
from reminderd.replies.words import (
    ALL_GOOD,
    COURTESY,
    NEW_THOUGHT,
    RED_FLAGS,
    SCALE,
    WORRY,
    Meaning,
    ReplyRules,
    Rule,
)

CLOSE = 7  # words between which the parts of one symptom stand
# Words within which "a bit" is said of the pain and not of something else.
JUST_BEFORE, SOON_AFTER = 1, 3
_DIGITS = {str(number): number for number in range(1, 6)}
_LOW = 2  # up to here a number on the scale is no good news
_ANSWERS = {Meaning.ANSWER, Meaning.ALL_GOOD}


def is_bad(answer: str) -> bool:
    """Whether an answer, as `Reading.answer` has it, is no good news."""
    return answer.isdigit() and int(answer) <= _LOW


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a reply means, by which rule, and the words that say so.

    `language` is that of the words, `number` that of an answer. An unclear one has as its rule why
    it is unclear: `symptom`, `worry`, `question`, `contradiction`, `unknown-words`,
    `denied-only`, `courtesy` or `empty`.
    """

    meaning: Meaning
    rule: str
    words: tuple[str, ...] = ()
    language: str | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything that a reply means, what matters most first; there is always something.

    `denied` are the symptoms that it says are not there.
    """

    findings: tuple[Finding, ...]
    denied: tuple[Finding, ...] = ()

    @property
    def meaning(self) -> Meaning:
        """What matters most."""
        return self.findings[0].meaning

    @property
    def number(self) -> int | None:
        """The answer to a check-in's question, from 1 to 5, if there is one."""
        return next((each.number for each in self.findings if each.number), None)

    def means(self, meaning: Meaning) -> bool:
        """Whether this is among what it means."""
        return any(each.meaning is meaning for each in self.findings)

    @property
    def answer(self) -> str | None:
        """What it answers to a check-in: `1` to `5`, or `all-good`.

        Beside a red flag no answer is a good one: it is none.
        """
        answer = str(self.number) if self.number else None
        if answer is None and self.means(Meaning.ALL_GOOD):
            answer = Meaning.ALL_GOOD.value
        is_flagged = any(map(self.means, RED_FLAGS))
        return None if answer and is_flagged and not is_bad(answer) else answer

    @property
    def is_nothing_but_good(self) -> bool:
        """Whether it is a good answer to a check-in, and nothing else."""
        meanings = {each.meaning for each in self.findings}
        return meanings <= _ANSWERS and self.answer is not None and not is_bad(self.answer)


def read(
    text: str, rules: ReplyRules, languages: Sequence[str] = (), sent: Sequence[str] = ()
) -> Reading:
    """What a reply means; the words of every language count.

    A word that is in several is said to be of the one in which most of the reply is known, then of
    the first in `languages`: they decide nothing else. `sent`
    is what we wrote before: where a phone or a mail program repeats it, it is not the patient's.
    """
    return _Reader(text, rules, languages, sent).reading()


def is_only(text: str, meaning: Meaning, rules: ReplyRules) -> bool:
    """Whether a message is nothing but a word of that meaning, such as STOP."""
    return _Reader(text, rules, (), ()).is_only(meaning)


class _Reader:
    """The words of one reply and where the lists' entries stand among them."""

    def __init__(
        self, text: str, rules: ReplyRules, languages: Sequence[str], sent: Sequence[str]
    ) -> None:
        self._rules = rules
        self._asks = asks(text)
        self._tokens = unquoted(split(text), map(split, sent))
        self._found = rules.dictionary.find(self._tokens)
        self._denials = Denials(self._tokens, self._found, rules, asks=self._asks)
        self._chains = [
            chain
            for name in (*rules.symptoms, WORRY)
            for match in self._found.get(name, ())
            if (chain := self._denials.of(match))
        ]
        self._order = {tag.partition("_")[0]: place for place, tag in enumerate(languages)}

    def reading(self) -> Reading:
        keyword = self._keyword()
        if keyword:
            return Reading((keyword,))
        findings, denied = [], []
        for rule in self._rules.rules:
            standing = self._applies(rule, denied=False)
            if standing:
                findings.append(standing)
            elif rule.meaning in RED_FLAGS and (gone := self._applies(rule, denied=True)):
                denied.append(gone)
        findings += self._remainder(is_wanted=not findings)
        order = list(Meaning)
        findings.sort(key=lambda each: order.index(each.meaning))
        return Reading(tuple(findings), tuple(denied))

    def is_only(self, meaning: Meaning) -> bool:
        keyword = self._keyword()
        return keyword is not None and keyword.meaning is meaning

    # Rules ------------------------------------------------------------------------------------

    def _keyword(self) -> Finding | None:
        """The rule of whose words the message consists, emoji aside."""
        words = {at for at, token in enumerate(self._tokens) if is_word(token)}
        for rule in self._rules.rules:
            matches = self._found.get(rule.whole, []) if rule.whole else []
            if words and words == _places(matches):
                return self._finding(rule, matches)
        return None

    def _applies(self, rule: Rule, *, denied: bool) -> Finding | None:
        """What a rule finds, with or without what is denied."""
        for name in rule.begins:
            for match in self._found.get(name, ()):
                if match.start == 0:
                    return self._finding(rule, [match])
        apart = [each for name in rule.unless for each in self._found.get(name, ())]
        for line in rule.when:
            if not all(name in self._found for name in line):
                continue  # as most are: it is found out before anything is sorted
            first, *others = (self._matches(name, denied=denied) for name in line)
            alone = [each for each in first if not any(self._touches(each, one) for one in apart)]
            together = _closest([alone, *others])
            if together:
                return self._finding(rule, together)
        return None

    def _touches(self, match: Match, other: Match) -> bool:
        """Whether it is near the other in the same thought: "I breathe well", not "… . Well"."""
        first, second = sorted((match, other), key=lambda each: each.start)
        near = JUST_BEFORE if first is other else SOON_AFTER - 1
        if not 0 <= second.start - first.end <= near:
            return False
        return not any(each.after_break for each in self._tokens[first.end : second.start + 1])

    def _matches(self, name: str, *, denied: bool) -> list[Match]:
        """Where words of a list stand, in order; the likeliest language first if in several."""
        found = sorted(self._found.get(name, ()), key=lambda each: (each.start, self._rank(each)))
        return found if denied else [each for each in found if self._denials.of(each) is None]

    def _finding(self, rule: Rule, matches: Sequence[Match]) -> Finding:
        chosen = min(matches, key=self._rank)
        return Finding(rule.meaning, rule.id, self._words(matches), chosen.language)

    def _rank(self, match: Match) -> tuple[int, int]:
        return -self._fluency[match.language], self._order.get(match.language, len(self._order))

    @cached_property
    def _fluency(self) -> Counter[str]:
        """How many words of the reply each language knows."""
        all_matches = (each for matches in self._found.values() for each in matches)
        known = {(each.language, at) for each in all_matches for at in range(each.start, each.end)}
        return Counter(language for language, _ in known)

    def _words(self, matches: Sequence[Match]) -> tuple[str, ...]:
        spans = dict.fromkeys((each.start, each.end) for each in sorted(matches))
        return tuple(_said(self._tokens[start:end]) for start, end in spans)

    # The rest ---------------------------------------------------------------------------------

    def _remainder(self, *, is_wanted: bool) -> Iterator[Finding]:
        """The answer to a question, if any; and where no rule applied, how the message is meant."""
        known = self._known()
        numbers = dict(self._answers(known))
        answer = None
        if len(set(numbers.values())) == 1:
            answer = next(iter(numbers.values()))
            words = tuple(self._tokens[at].text for at in numbers)
            yield Finding(Meaning.ANSWER, "number", words, number=answer)
            known |= set(numbers) | _places(self._found.get(SCALE, ()))
        if is_wanted:
            yield from self._unanswered(known, answer)

    def _unanswered(self, known: set[int], answer: int | None) -> Iterator[Finding]:
        good = self._matches(ALL_GOOD, denied=False)
        why = self._unclear(known, good, answer)
        if why:
            yield why
        elif answer is None:
            yield Finding(Meaning.ALL_GOOD, "all-good", self._words(good), good[0].language)

    def _unclear(
        self, known: set[int], good: Sequence[Match], answer: int | None
    ) -> Finding | None:
        """Why a person has to read it; None where every word of it is known and good."""
        symptoms = [
            match
            for name in sorted(self._rules.telling)
            for match in self._matches(name, denied=False)
        ]
        worries = [*self._matches(WORRY, denied=False), *self._denied(ALL_GOOD)]
        unknown = [token.text for at, token in enumerate(self._tokens) if at not in known]
        if symptoms:
            return Finding(Meaning.UNCLEAR, "symptom", self._words(symptoms))
        if worries:
            return Finding(Meaning.UNCLEAR, "worry", self._words(worries))
        if self._asks:
            return Finding(Meaning.UNCLEAR, "question")
        if unknown:
            return Finding(Meaning.UNCLEAR, "unknown-words", tuple(unknown))
        if answer is not None and is_bad(str(answer)) and good:
            return Finding(Meaning.UNCLEAR, "contradiction", self._words(good))
        if answer is None and not good:
            why = "denied-only" if self._chains else "courtesy" if self._tokens else "empty"
            return Finding(Meaning.UNCLEAR, why)
        return None

    def _known(self) -> set[int]:
        """The places of all words that are good, polite, or deny something."""
        matches = [*self._matches(ALL_GOOD, denied=False), *self._found.get(COURTESY, ())]
        known = _places(matches)
        return known.union(*self._chains)

    def _denied(self, name: str) -> list[Match]:
        return [each for each in self._found.get(name, ()) if self._denials.of(each)]

    # Numbers ----------------------------------------------------------------------------------

    def _numbers(self) -> Iterator[tuple[int, int]]:
        """The places and values of all numbers from 1 to 5 that are not the scale itself."""
        longer = (each for name in (ALL_GOOD, COURTESY) for each in self._found.get(name, ()))
        other = [each for each in longer if each.end - each.start > 1]  # "très bien" is no "tres"
        taken = _places([*self._found.get(SCALE, ()), *other])
        for at, token in enumerate(self._tokens):
            value = _DIGITS.get(token.text) or self._rules.numbers.get(token.text)
            if value and at not in taken:
                yield at, value

    def _answers(self, known: set[int]) -> Iterator[tuple[int, int]]:
        """Those that nothing unknown touches: "3 days" and "day 3" are no answers."""
        scales = {each.start: each.end for each in self._found.get(SCALE, ())}
        free = known | _places(self._found.get(NEW_THOUGHT, ()))
        for at, value in self._numbers():
            after = scales.get(at + 1, at + 1)
            at_end = after == len(self._tokens) or self._tokens[after].after_break
            begins = self._tokens[at].after_break or at - 1 in known
            if begins and (at_end or after in free):
                yield at, value


def _closest(parts: Sequence[Sequence[Match]]) -> list[Match] | None:
    """One match of each part, all within a few words, if there are such."""
    first, *others = parts
    if not all(parts):
        return None
    starts = [[match.start for match in other] for other in others]
    for match in first:
        together = [match]
        for other, places in zip(others, starts, strict=True):
            near = bisect_left(places, match.start)
            around = other[max(0, near - 1) : near + 1]
            together.append(min(around, key=lambda each: abs(each.start - match.start)))
        ends = [each.end for each in together]
        if max(ends) - min(each.start for each in together) <= CLOSE + len(together):
            return together
    return None


def _places(matches: Iterable[Match]) -> set[int]:
    return {at for each in matches for at in range(each.start, each.end)}


def _said(tokens: Sequence[Token]) -> str:
    return " ".join(token.text for token in tokens)
