"""What a file of rules and a file of words for replies may say. Everything that needs pydantic."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reminderd.faults import Fault, from_validation, unknown_key
from reminderd.replies.phrases import SHORTEST_STEM
from reminderd.replies.tokens import split

Text = Annotated[str, Field(min_length=1)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Texts = Annotated[list[Text], Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RuleFormat(_Table):
    """When a message has a meaning."""

    id: Slug = Field(description="Names the rule; unique in the file.")
    meaning: Literal["emergency", "urgent", "stop", "soft-stop", "start", "help"] = Field(
        description="What the message means then."
    )
    says: Text = Field(description="What it is about, for people.")
    source: Text = Field(description="Where it comes from, by the short name of a source.")
    note: Text | None = Field(None, description="How the source was read.")
    when: (
        Annotated[list[Annotated[list[Slug], Field(min_length=1)]], Field(min_length=1)] | None
    ) = Field(None, description="Lists of which one word each stands close together.")
    unless: Annotated[list[Slug], Field(min_length=1)] | None = Field(
        None, description="Lists of which no word may stand as close."
    )
    begins: Annotated[list[Slug], Field(min_length=1)] | None = Field(
        None, description="Lists with a word of which the message begins."
    )
    whole: Slug | None = Field(None, description="The list of which the message consists.")


class RulesFormat(_Table):
    """What a reply can mean."""

    model_config = ConfigDict(title="reminderd rules for replies")

    sources: dict[str, Text] = Field(description="What the rules come from, by short name.")
    exact: list[Slug] = Field(
        default_factory=list, description="Lists of symptoms that count only as written."
    )
    undeniable: list[Slug] = Field(
        default_factory=list, description="Lists of symptoms that nothing denies."
    )
    rules: list[RuleFormat] = Field(min_length=1, description="The rules.")


class WordsFormat(_Table):
    """The words of one language."""

    model_config = ConfigDict(title="reminderd words for replies")

    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(_[A-Za-z]{2,4})?$")] = Field(
        description="Its code; equals the file's name."
    )
    numbers: dict[str, Annotated[int, Field(ge=1, le=5)]] = Field(
        description="Words for the numbers on the scale of a check-in."
    )
    words: dict[str, Texts] = Field(description="The lists of words that the rules name.")


def rule_faults(data: dict[str, Any]) -> list[Fault]:
    """Everything wrong with the data of a file of rules, all at once."""
    try:
        found = RulesFormat.model_validate(data)
    except ValidationError as error:
        return list(from_validation(error, RulesFormat))
    return list(_between_rules(found))


def _between_rules(found: RulesFormat) -> Iterator[Fault]:
    named = {name for rule in found.rules for line in rule.when or () for name in line}
    for key, names in (("exact", found.exact), ("undeniable", found.undeniable)):
        for index, name in enumerate(names):
            if name not in named:
                yield Fault((key, index), f'"{name}" is a list that no rule names')
    seen: set[str] = set()
    for index, rule in enumerate(found.rules):
        at = ("rules", index)
        if rule.id in seen:
            yield Fault((*at, "id"), f'"{rule.id}" is the id of another rule')
        seen.add(rule.id)
        if rule.source not in found.sources:
            yield Fault((*at, "source"), f'"{rule.source}" is not one of the sources')
        if not (rule.when or rule.begins or rule.whole):
            yield Fault((*at, "when"), 'is missing, or "begins", or "whole"')


def word_faults(data: dict[str, Any], file_language: str, wanted: Sequence[str]) -> list[Fault]:
    """Everything wrong with the data of a file of words, which needs the lists `wanted`."""
    faults: list[Fault] = []
    try:
        WordsFormat.model_validate(data)
    except ValidationError as error:
        faults.extend(from_validation(error, WordsFormat))
    language = data.get("language")
    if isinstance(language, str) and language != file_language:
        faults.append(
            Fault(("language",), f'"{language}" must equal the name of the file, "{file_language}"')
        )
    words = data.get("words")
    if isinstance(words, dict):
        faults.extend(_between_lists(words, wanted))
    return faults


def _between_lists(words: dict[str, Any], wanted: Sequence[str]) -> Iterator[Fault]:
    for name in wanted:
        if name not in words:
            yield Fault(("words", name), "is required: the rules need it")
    for name, entries in words.items():
        if name not in wanted:
            yield Fault(("words", name), unknown_key(name, wanted))
        texts = entries if isinstance(entries, list) else []
        for index, text in enumerate(texts):
            if isinstance(text, str) and text:
                for wrong in _wrong_with(text, texts[:index]):
                    yield Fault(("words", name, index), f'"{text}" {wrong}')


def _wrong_with(text: str, before: list[Any]) -> Iterator[str]:
    if text in before:
        yield "is there twice"
    if not split(text.replace("*", "")):
        yield "holds no word"
    for part in text.split():
        if "*" in part and (part.index("*") < len(part) - 1 or len(part) <= SHORTEST_STEM):
            yield f"has a * that is not at the end of a word of at least {SHORTEST_STEM} letters"


def rules_schema() -> dict[str, Any]:
    """The JSON Schema of a file of rules, for editors."""
    return _schema(RulesFormat)


def words_schema() -> dict[str, Any]:
    """The JSON Schema of a file of words, for editors."""
    return _schema(WordsFormat)


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
