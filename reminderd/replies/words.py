"""What the rules for replies are made of: meanings, rules, and the lists of words. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from reminderd.replies.phrases import Dictionary, Phrase, phrases


class Meaning(StrEnum):
    """What a reply, or a part of one, means. In the order in which it matters."""

    EMERGENCY = "emergency"
    URGENT = "urgent"
    STOP = "stop"  # the whole message is a word on which providers act
    SOFT_STOP = "soft-stop"  # an objection in the patient's own words
    START = "start"
    HELP = "help"
    UNCLEAR = "unclear"  # for a person to read
    ANSWER = "answer"  # a number on the scale of a check-in
    ALL_GOOD = "all-good"


RED_FLAGS = (Meaning.EMERGENCY, Meaning.URGENT)
# Lists with a part of their own in the reading, beside those that rules name.
NEGATION, NO_NEGATION, NEGATION_AFTER = "negation", "not-a-negation", "negation-after"
LINKS, OR, NEW_THOUGHT = "links", "or", "new-thought"
ALL_GOOD, COURTESY, WORRY, SCALE, KNOWN = "all-good", "courtesy", "worry", "scale", "known"
OWN_LISTS = (
    *(NEGATION, NO_NEGATION, NEGATION_AFTER, LINKS, OR, NEW_THOUGHT),
    *(ALL_GOOD, COURTESY, WORRY, SCALE, KNOWN),
)


class Rule(NamedTuple):
    """When a message has a meaning: one word of each list in one line of `when`, close together,
    and none of a list in `unless` near them; or it begins with a word of a list in `begins`; or it
    is nothing but words of `whole`."""

    id: str
    meaning: Meaning
    says: str
    source: str
    when: tuple[tuple[str, ...], ...] = ()
    unless: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()
    whole: str | None = None
    note: str | None = None

    def lists(self) -> Iterator[str]:
        """Every list of words that it needs."""
        yield from (name for line in self.when for name in line)
        yield from self.unless
        yield from self.begins
        if self.whole:
            yield self.whole


class Language(NamedTuple):
    """The words of one language, by list; and those that stand for a number."""

    tag: str
    words: Mapping[str, tuple[str, ...]]
    numbers: Mapping[str, int]


class RuleBook(NamedTuple):
    """The rules; which lists of symptoms count only as written, and which nothing denies."""

    rules: tuple[Rule, ...]
    exact: frozenset[str] = frozenset()
    undeniable: frozenset[str] = frozenset()

    def lists(self) -> tuple[str, ...]:
        """The lists that every language has to have, in the order of the rules."""
        named = (name for rule in self.rules for name in rule.lists())
        return tuple(dict.fromkeys([*named, *OWN_LISTS]))


@dataclass(frozen=True, slots=True)
class ReplyRules:
    """All rules with the words of all languages, ready to read with."""

    rules: tuple[Rule, ...]
    languages: tuple[str, ...]
    dictionary: Dictionary
    numbers: Mapping[str, int]
    symptoms: frozenset[str]  # the lists that red flags are made of
    undeniable: frozenset[str]
    telling: frozenset[str]  # those of the symptoms that say something by themselves

    @classmethod
    def of(cls, book: RuleBook, languages: Iterable[Language]) -> "ReplyRules":
        """Put together what was read from the files."""
        languages = tuple(languages)
        red_flags = (rule for rule in book.rules if rule.meaning in RED_FLAGS)
        symptoms = frozenset(name for rule in red_flags for line in rule.when for name in line)
        entries = tuple(_entries(languages, symptoms - book.exact))
        numbers = {
            word: number
            for language in languages
            for written, number in language.numbers.items()
            for entry in phrases(written, "", language.tag, forgiving=False)
            for word in entry.words
        }
        known = {word for entry in entries if entry.name == KNOWN for word in entry.words}
        counted = tuple(entry for entry in entries if entry.name != KNOWN)
        return cls(
            book.rules,
            tuple(language.tag for language in languages),
            Dictionary(counted, known | set(numbers)),
            numbers,
            symptoms,
            book.undeniable,
            symptoms - book.exact,
        )


def _entries(languages: Iterable[Language], forgiving: frozenset[str]) -> Iterator[Phrase]:
    for language in languages:
        for name, words in language.words.items():
            for text in words:
                yield from phrases(text, name, language.tag, forgiving=name in forgiving)
