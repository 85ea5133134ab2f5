"""What a block of a template says, and what is wrong with a template. The only room of Jinja.

A template sees the names of its form (`vocabulary.py`) and the filters `date`, `time`, `datetime`.
Any other name is a mistake, also in a branch that is not taken.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import NamedTuple

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, Undefined, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reminderd import dates, markup
from reminderd.dates import Moment
from reminderd.errors import TemplateFailed
from reminderd.texts import Text
from reminderd.vocabulary import FORM, FORMS, OBJECTS, WORDS

_USES_OTHERS = (nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)
REMEDY = "correct the template, then run: reminderd template check"


def said(
    text: Text, name: str, variables: Mapping[str, object], reminder_id: int | None = None
) -> str:
    """What the block says, as marked text; raises TemplateFailed, also where it is empty."""
    try:
        template = _read(text).template
        if name not in template.blocks:
            raise LookupError("the block is missing")
        context = template.new_context(dict(variables))
        words = "".join(template.blocks[name](context))
        if not words.strip():
            raise ValueError("the block is empty")
    except Exception as error:  # whatever a template does wrong is its own fault, not ours
        raise failed(text, name, error, reminder_id) from error
    return words


def failed(
    text: Text, block: str, error: Exception, reminder_id: int | None = None
) -> TemplateFailed:
    """The error that names the file, the line and the reminder for which the block failed."""
    where = f"{text.language}/{text.name}, block {block}"
    return TemplateFailed(
        f"{text.path}:{_line_of(error, text)}: {where}: {error}",
        reminder_id=reminder_id,
        remedy=REMEDY,
    )


def faults(text: Text) -> list[str]:
    """What reading alone shows to be wrong in a template, each as `file:line: message`."""
    return [f"{text.path}:{line}: {message}" for line, message in _faults(text)]


def _faults(text: Text) -> Sequence[tuple[int, str]]:
    try:
        return _read(text).faults
    except TemplateSyntaxError as error:
        return [(error.lineno, error.message or "")]


class _Read(NamedTuple):
    """A template as it is written from, and what is wrong with it all the same."""

    template: Template
    faults: Sequence[tuple[int, str]]


@lru_cache(maxsize=4096)
def _read(text: Text) -> _Read:
    """Raises TemplateSyntaxError."""
    tree = _environment().parse(text.source)
    code = _environment().compile(tree, text.name, text.place)
    faults = sorted(set(_mistakes(text.name, tree)))
    return _Read(Template.from_code(_environment(), code, {}), faults)


class _Sandbox(ImmutableSandboxedEnvironment):
    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        """Jinja's own answer, found sooner for what templates ask about most."""
        if type(obj) in WORDS:
            return not attr.startswith("_")
        return super().is_safe_attribute(obj, attr, value)


@lru_cache(maxsize=1)
def _environment() -> _Sandbox:
    environment = _Sandbox(
        undefined=StrictUndefined,
        finalize=_said,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # values are kept from being markup in `markup`, also from Markdown
    )
    environment.globals.clear()
    environment.filters.update(date=dates.date_of, time=dates.time_of, datetime=dates.datetime_of)
    return environment


def _said(value: object) -> str:
    """A value on its way into a text, between marks; refuses what is not meant to be read."""
    if isinstance(value, str | int | Undefined):  # an undefined one says which, and raises
        return markup.marked(str(value))
    if isinstance(value, Moment):
        raise TypeError("an instant is shown through a filter: date, time or datetime")
    if value is None:
        raise ValueError("a variable has no value here; ask before: {% if … %}")
    raise TypeError(f"{type(value).__name__} is not a text; name one of its parts")


def _line_of(error: Exception, text: Text) -> int:
    """The line of the template at which it went wrong, or 1 where that is not known."""
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == text.place:
            template = trace.tb_frame.f_globals["__jinja_template__"]
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


def _mistakes(name: str, tree: nodes.Template) -> Iterator[tuple[int, str]]:
    """Blocks that it lacks, names and attributes that nothing has, and other files."""
    parts: list[nodes.Node] = [tree]
    for each in parts:  # the list grows by what is inside of each
        parts.extend(each.iter_child_nodes())
    yield from _missing_blocks(name, parts)
    yield from _unknown_names(name, tree, parts)
    yield from _unknown_attributes(parts)
    yield from _other_files(parts)


def _missing_blocks(name: str, parts: Iterable[nodes.Node]) -> Iterator[tuple[int, str]]:
    there = {each.name for each in parts if isinstance(each, nodes.Block)}
    for block in FORMS.get(name, FORM).blocks:
        if block not in there:
            yield 1, f"the block {block} is missing"


def _unknown_names(
    name: str, tree: nodes.Template, parts: Iterable[nodes.Node]
) -> Iterator[tuple[int, str]]:
    known = FORMS.get(name, FORM).names
    others = [each for each in parts if isinstance(each, nodes.Name) and each.name not in known]
    undeclared = meta.find_undeclared_variables(tree) if others else set()
    for each in others:
        if each.name in undeclared:
            yield each.lineno, f"{each.name} is not known; there is {', '.join(sorted(known))}"


def _unknown_attributes(parts: Iterable[nodes.Node]) -> Iterator[tuple[int, str]]:
    for each in parts:
        if isinstance(each, nodes.Getattr):
            owner = each.node.name if isinstance(each.node, nodes.Name) else ""
            has = [field.name for field in fields(OBJECTS[owner])] if owner in OBJECTS else []
            if has and each.attr not in has:
                yield each.lineno, f"{owner} has no {each.attr}; it has {', '.join(has)}"


def _other_files(parts: Iterable[nodes.Node]) -> Iterator[tuple[int, str]]:
    for each in parts:
        if isinstance(each, _USES_OTHERS):
            yield each.lineno, "a template stands alone and cannot use another file"
