"""Why it was decided so about a reply, in sentences: every part of what was written down then."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reminderd.outbox_values import Decision
from reminderd.replies.words import Rule

_MEANS = {
    "emergency": "a red flag, as in an emergency",
    "urgent": "a red flag",
    "stop": "no more text messages",
    "soft-stop": "an objection in the patient's own words",
    "start": "text messages again",
    "help": "who writes?",
    "unclear": "for a person to read",
    "answer": "an answer to a check-in",
    "all-good": "good words and no others",
}
# Why something is unclear, and what else is found without a rule.
_FOUND = {
    "symptom": "a symptom that is no red flag by itself",
    "worry": "a worry",
    "question": "a question",
    "contradiction": "a number that the words contradict",
    "unknown-words": "words that are on no list",
    "denied-only": "nothing but that something is not there",
    "courtesy": "nothing but courtesy",
    "empty": "no words",
    "number": "a number from 1 to 5",
    "all-good": "all good",
}
_DECIDED = {
    "emergency": "a person has to act now",
    "urgent": "a person has to act now",
    "stop": "no more text messages to anybody with that number",
    "soft-stop": "everything is held until a person decides",
    "start": "text messages go on where that number had stopped them",
}
_TOLD = frozenset({"findings", "denied", "check_in"})  # in sentences of their own

Rules = Mapping[str, Rule]


def facts(part: Iterable[Mapping[str, Any]], rules: Rules) -> list[dict[str, Any]]:
    """What was found, or denied, each with what its rule says and the document behind it."""
    return [
        {
            **each,
            "says": rules[each["rule"]].says if each["rule"] in rules else _found(each),
            "source": rules[each["rule"]].source if each["rule"] in rules else None,
        }
        for each in part
    ]


def sentences(decision: Decision, rules: Rules) -> Iterator[str]:
    """What was found, what was denied, what was decided, and what else is on record."""
    word, why = decision.word, decision.why
    for each in facts(why.get("findings", ()), rules):
        yield f"found: {each['says']}{_where(each)}: {_MEANS.get(each['meaning'], each['meaning'])}"
    for each in facts(why.get("denied", ()), rules):
        yield f"denied: {each['says']}{_where(each)}"
    if word in _DECIDED:
        yield f"so: {_DECIDED[word]}"
    for name, value in why.items():
        if name not in _TOLD:
            yield f"{name.replace('_', ' ')}: {_plain(value)}"


def _found(finding: Mapping[str, Any]) -> str:
    number = f": {finding['number']}" if finding.get("number") else ""
    return f"{_FOUND.get(finding['rule'], finding['rule'])}{number}"


def _where(fact: Mapping[str, Any]) -> str:
    """` (rule fever, from S4, in es)`."""
    source, language = fact["source"], fact.get("language")
    parts = [f"rule {fact['rule']}, from {source}"] if source else []
    parts += [f"in {language}"] if language else []
    return f" ({', '.join(parts)})" if parts else ""


def _plain(value: object) -> str:
    """Anything that was written down, in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(map(_plain, value)) or "-"
    return "-" if value is None else str(value)
