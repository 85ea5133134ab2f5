"""A text as words, whatever the keyboard made of it. Pure.

Capitals, accents, letter forms, digits of other scripts and stretched letters no longer matter;
what separates two thoughts is kept.
"""

# ruff: noqa: RUF001 - signs that look alike are what this is about

import re
import unicodedata
from typing import NamedTuple

_PIECE = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+|\n|[^\w\s]")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_REMEMBERED = 10_000  # characters
_BREAKS = frozenset(".,;:!?()[]{}|\n–—―¿¡،؛؟")
_SILENT = frozenset("'’‘`´-‐‑‒*\"“”„‚«»‹›~+>\u2032")
_WRITTEN_OTHERWISE = {
    "\u02bc": "'",
    "\ua78c": "'",  # letters that look like an apostrophe
    "ى": "ي",
    "ی": "ي",
    "ة": "ه",
    "ک": "ك",
    "ٱ": "ا",
    "ـ": "",
}


class Token(NamedTuple):
    """One word, number or sign.

    `forms` is every way to read it: as it stands, with stretched letters shortened, and in Arabic
    without what is written onto the front of a word.
    """

    text: str
    forms: frozenset[str]
    after_break: bool  # a full stop, a comma or a new line stands between it and the one before


def split(text: str) -> list[Token]:
    """The words of a text in their order."""
    tokens: list[Token] = []
    after_break = True
    for piece in _PIECE.findall(plain(text)):
        if piece in _BREAKS:
            after_break = True
        elif piece not in _SILENT:
            word = piece.replace(",", ".")
            tokens.append(Token(word, _forms(word), after_break))
            after_break = False
    return tokens


def plain(text: str) -> str:
    """Small letters without accents, vowel signs, and invisible characters; plain digits."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    return unicodedata.normalize("NFKD", folded).translate(_PLAIN)


def asks(text: str) -> bool:
    """Whether it holds a question mark of any kind."""
    return any(mark in text for mark in "?؟¿\uff1f")


def is_word(token: Token) -> bool:
    """Whether it is made of letters or digits; an emoji is not."""
    return token.text[0].isalnum()


class _Plain(dict[int, str]):
    """For `str.translate`: what becomes of a character, found out when it is first met."""

    def __missing__(self, code: int) -> str:
        plain = _plain(chr(code))
        if len(self) < _REMEMBERED:
            self[code] = plain
        return plain


def _plain(character: str) -> str:
    if character in _WRITTEN_OTHERWISE:
        return _WRITTEN_OTHERWISE[character]
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    category = unicodedata.category(character)
    is_mark = category[0] == "M" or category in ("Cf", "Sk")
    return "" if is_mark and not character.isascii() else character


_PLAIN = _Plain()


def _forms(piece: str) -> frozenset[str]:
    forms = {piece}
    if _STRETCHED.search(piece):
        forms = {_STRETCHED.sub(r"\1", piece), _STRETCHED.sub(r"\1\1", piece)}
    if "\u0600" <= piece[0] <= "\u06ff":
        for form in tuple(forms):
            forms |= _without_prefixes(form)
    return frozenset(forms)


def _without_prefixes(word: str) -> set[str]:
    """An Arabic word without "and", "in", "to", "the", step by step: never less than it needs."""
    forms = {word}
    if word[0] in "وف" and (len(word) >= 4 or word[1:] in ("لا", "ما")):
        forms.add(word[1:])
    for form in tuple(forms):
        if form[0] in "بلك" and len(form) >= 4:
            forms.add(form[1:])
    for form in tuple(forms):
        for article in ("هال", "ال", "لل"):
            if form.startswith(article) and len(form) >= len(article) + 2:
                forms.add(form[len(article) :])
    return forms
