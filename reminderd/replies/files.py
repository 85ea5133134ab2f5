"""The files of rules and words in `replies/`, checked with every mistake reported at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from reminderd.errors import FaultsFound
from reminderd.faults import Fault, located, parse_toml
from reminderd.replies.words import Language, Meaning, ReplyRules, Rule, RuleBook

RULES = "rules.toml"


def load(folders: Sequence[Path]) -> ReplyRules:
    """The rules with the words of every language; a file in an earlier folder hides a later one.

    The rules themselves are those of the last folder, which is the packaged one. Raises
    FaultsFound with every mistake in any of the files as `file:line: path: what is wrong`.
    """
    book = read_rules(folders[-1] / RULES)
    paths: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            if path.name != RULES:
                paths.setdefault(path.stem, path)
    languages: list[Language] = []
    faults: list[str] = []
    for _, path in sorted(paths.items()):
        try:
            languages.append(read_language(path, book))
        except FaultsFound as error:
            faults.extend(error.faults)
    if faults:
        raise FaultsFound(faults)
    return ReplyRules.of(book, languages)


def read_rules(path: Path) -> RuleBook:
    """The rules in a file; raises FaultsFound."""
    return parse_rules(_text(path), str(path))


def read_language(path: Path, book: RuleBook) -> Language:
    """The words of one language, with every list that the rules need; raises FaultsFound."""
    return parse_language(_text(path), str(path), book)


def parse_rules(text: str, where: str) -> RuleBook:
    """Check the text of a file of rules; `where` names it. Raises FaultsFound."""
    from reminderd.replies.format import rule_faults  # pydantic: only where a file is checked

    data = parse_toml(text, where)
    _refuse(text, where, rule_faults(data))
    rules = tuple(_rule(each) for each in data["rules"])
    exact, undeniable = (frozenset(data.get(key, ())) for key in ("exact", "undeniable"))
    return RuleBook(rules, exact, undeniable)


def parse_language(text: str, where: str, book: RuleBook) -> Language:
    """Check the text of a file of words; `where` names it and sets its language if it is a path.

    Raises FaultsFound with every mistake.
    """
    from reminderd.replies.format import word_faults

    data = parse_toml(text, where)
    _refuse(text, where, word_faults(data, Path(where).stem, book.lists()))
    words = {name: tuple(each) for name, each in data["words"].items()}
    return Language(data["language"], words, data["numbers"])


def _refuse(text: str, where: str, faults: list[Fault]) -> None:
    if faults:
        raise FaultsFound(located(text, where, faults))


def _rule(table: dict[str, Any]) -> Rule:
    return Rule(
        id=table["id"],
        meaning=Meaning(table["meaning"]),
        says=table["says"],
        source=table["source"],
        when=tuple(tuple(line) for line in table.get("when", ())),
        unless=tuple(table.get("unless", ())),
        begins=tuple(table.get("begins", ())),
        whole=table.get("whole"),
        note=table.get("note"),
    )


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise FaultsFound([f"{path}:{line}: is not UTF-8 text"]) from error
    except OSError as error:
        raise FaultsFound([f"{path}:1: cannot be read: {error.strerror}"]) from error
