"""The template files: which there are, in which languages, and what a signature covers.

All of them are read at once, so that what is approved is what is sent until the next reload.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from reminderd.errors import FaultsFound

BUNDLE = "_bundle"
PLAN = "_plan"
LEAFLET = "_leaflet"
CORRECTION = "_correction"
ALERT = "_alert"
DIGEST = "_digest"
SAFETY = "_safety"
HELP = "_help"
ANSWERS = (SAFETY, HELP)
LAST_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Text:
    """One template file: `source` is its content, `path` where it was found."""

    language: str
    name: str
    path: Path = field(compare=False)  # the same words elsewhere are the same text
    source: str

    @property
    def place(self) -> str:
        """Where it stands below its folder: `en/no-shower.j2`."""
        return f"{self.language}/{self.name}.j2"

    def line_of(self, block: str) -> int:
        """The line at which a block begins; 1 where there is no such."""
        found = re.search(rf"\{{%-?\s*block {block}\b", self.source)
        return self.source.count("\n", 0, found.start()) + 1 if found else 1


class Texts:
    """Every template of some folders, the earlier folder winning: the site's, then our own.

    Raises FaultsFound with every file that is no text.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        found: dict[tuple[str, str], Text] = {}
        faults: list[str] = []
        for folder in folders:
            for path in sorted(folder.glob("*/*.j2")):
                key = normal_tag(path.parent.name), path.stem
                if key not in found and (source := _read(path, faults)) is not None:
                    found[key] = Text(*key, path, source)
        if faults:
            raise FaultsFound(faults, remedy="Save them as UTF-8 text.")
        self._texts = dict(sorted(found.items()))
        self._folders = tuple(folders)

    def get(self, language: str, name: str) -> Text:
        """The template of that name in exactly that language; raises KeyError."""
        return self._texts[language, name]

    def list_templates(self) -> tuple[Text, ...]:
        """All there are, sorted by language and name."""
        return tuple(self._texts.values())

    def plan(self, language: str) -> Text | None:
        """The words around the patient's copy of a plan, for a mail in that language."""
        base = language.partition("_")[0]
        return self._texts.get((language, PLAN)) or self._texts.get((base, PLAN))

    def languages(self) -> tuple[str, ...]:
        """The languages that have any template."""
        return tuple(dict.fromkeys(language for language, _ in self._texts))

    def choose(self, chain: Sequence[str], names: Iterable[str]) -> str | None:
        """The first language of the chain that has every one of these templates."""
        wanted = set(names)
        for language in chain:
            if all((language, name) in self._texts for name in wanted):
                return language
        return None

    def place(self, language: str, name: str) -> Path:
        """Where the site would keep its own file for a template."""
        return self._folders[0] / language / f"{name}.j2"

    def sources(self, names: Iterable[str]) -> str:
        """What these templates, and what goes with all, say in all languages; same text, same."""
        wanted = {*names, BUNDLE, PLAN}
        return "".join(
            f"=== {text.language}/{text.name}\n{text.source}\n"
            for text in self._texts.values()
            if text.name in wanted
        )

    def digest(self, names: Iterable[str]) -> str:
        """The fingerprint of `sources`, for a signature under a protocol."""
        return hashlib.sha256(self.sources(names).encode()).hexdigest()


def read_sources(sources: str) -> dict[str, str]:
    """What `Texts.sources` wrote, by file: `en/no-shower` and what it says."""
    _, *parts = re.split(r"^=== (\S+/\S+)\n", sources, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


@lru_cache(maxsize=1024)
def language_chain(patient: str | None, clinic: str) -> tuple[str, ...]:
    """In which languages to look for a text: pt_BR, pt, the clinic's, English."""
    tags = [normal_tag(tag) for tag in (patient, clinic, LAST_LANGUAGE) if tag]
    both = [form for tag in tags for form in (tag, tag.partition("_")[0])]
    return tuple(dict.fromkeys(both))


@lru_cache(maxsize=1024)
def normal_tag(tag: str) -> str:
    """`pt-br` as `pt_BR`, `zh-hant` as `zh_Hant`."""
    first, *rest = re.split("[-_]", tag.strip())
    shaped = (part.title() if len(part) == 4 else part.upper() for part in rest)
    return "_".join([first.lower(), *shaped])


def _read(path: Path, faults: list[str]) -> str | None:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        faults.append(f"{path}:{line}: is not UTF-8 text")
    except OSError as error:
        faults.append(f"{path}:1: cannot be read: {error.strerror}")
    return None
