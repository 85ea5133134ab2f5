"""Where in a TOML text something stands. Pure, and only for text that `tomllib` accepts."""

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

KeyPath = tuple[str | int, ...]

_TOKEN = re.compile(
    r"""
    (?P<blank>[ \t\r]+|\#[^\n]*)
  | (?P<newline>\n)
  | (?P<quoted>\"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*')
  | (?P<mark>[\[\]{}=,.])
  | (?P<bare>[^\s\[\]{}=,.\#"']+)
    """,
    re.VERBOSE | re.DOTALL,
)


class _Token(NamedTuple):
    kind: str  # "newline", "quoted", "bare", "end", or the punctuation mark itself
    text: str
    line: int


def lines(text: str) -> dict[KeyPath, int]:
    """The line, counting from 1, of every table, key and array element of a valid TOML text.

    Elements of arrays count from 0, those of `[[tables]]` too.
    """
    scan = _Scan(text)
    scan.document()
    return scan.found


def line_of(found: dict[KeyPath, int], path: KeyPath) -> int:
    """The line of `path`, or of the closest thing around it that is there."""
    while path not in found:
        path = path[:-1]
    return found[path]


def _tokens(text: str) -> Iterator[_Token]:
    line = 1
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or ""
        if kind != "blank":
            yield _Token(match[0] if kind == "mark" else kind, match[0], line)
        line += match[0].count("\n")
    yield _Token("end", "", line)


class _Scan:
    """One pass over the tokens, noting the line at which each path is first seen."""

    def __init__(self, text: str) -> None:
        self.found: dict[KeyPath, int] = {(): 1}
        self._lengths: dict[KeyPath, int] = {}
        self._tokens = list(_tokens(text))
        self._at = 0

    def document(self) -> None:
        table: KeyPath = ()
        while self._kind() != "end":
            if self._kind() == "newline":
                self._take()
            elif self._kind() == "[":
                table = self._header()
            else:
                self._assignment(table)

    def _kind(self) -> str:
        return self._tokens[self._at].kind

    def _take(self) -> _Token:
        token = self._tokens[self._at]
        self._at += token.kind != "end"
        return token

    def _note(self, path: KeyPath, line: int) -> None:
        for length in range(1, len(path) + 1):
            self.found.setdefault(path[:length], line)

    def _key(self) -> list[str]:
        parts = []
        while self._kind() in ("bare", "quoted", "."):
            token = self._take()
            if token.kind == "bare":
                parts.append(token.text)
            elif token.kind == "quoted":
                parts.append(tomllib.loads(f"key = {token.text}")["key"])
        return parts

    def _header(self) -> KeyPath:
        line = self._take().line
        is_element = self._kind() == "["
        if is_element:
            self._take()
        path = self._enter(self._key())
        while self._kind() == "]":
            self._take()
        if is_element:
            index = self._lengths.get(path, 0)
            self._lengths[path] = index + 1
            path = (*path, index)
        self._note(path, line)
        return path

    def _enter(self, keys: list[str]) -> KeyPath:
        """The path of a header; a step through an array of tables means its last element."""
        path: KeyPath = ()
        for key in keys:
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
            path = (*path, key)
        return path

    def _assignment(self, table: KeyPath) -> None:
        line = self._tokens[self._at].line
        path = (*table, *self._key())
        self._note(path, line)
        self._take()  # the equals sign
        self._value(path)

    def _value(self, path: KeyPath) -> None:
        if self._kind() == "[":
            self._elements(path)
        elif self._kind() == "{":
            self._inline_table(path)
        else:
            while self._kind() not in (",", "]", "}", "newline", "end"):
                self._take()

    def _elements(self, path: KeyPath) -> None:
        self._take()
        index = 0
        while self._kind() not in ("]", "end"):
            if self._kind() in (",", "newline"):
                self._take()
                continue
            self._note((*path, index), self._tokens[self._at].line)
            self._value((*path, index))
            index += 1
        self._take()

    def _inline_table(self, path: KeyPath) -> None:
        self._take()
        while self._kind() not in ("}", "end"):
            if self._kind() in (",", "newline"):
                self._take()
            else:
                self._assignment(path)
        self._take()
