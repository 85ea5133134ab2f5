"""Reading every text once before a patient does: all mistakes of all templates at one time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

from reminderd.alert_page import alert_page, digest_page
from reminderd.answer_page import TEMPLATES, answer
from reminderd.blocks import faults
from reminderd.correction_page import correction
from reminderd.errors import TemplateFailed
from reminderd.leaflet_page import page
from reminderd.model import CareProtocol, Channel
from reminderd.render import Composed, Item, Renderer
from reminderd.sample import (
    ALERTS,
    AWKWARD_NAMES,
    CLINIC,
    DIGESTS,
    LONGEST_NAME,
    SESSION_AT,
    item_of,
    items,
    patient,
    told_falsely,
    treatment,
)
from reminderd.segments import SmsSize
from reminderd.texts import ALERT, CORRECTION, DIGEST, LEAFLET, PLAN, Text, language_chain

# More for one reminder, or for several that fall together, is worth a warning where patient and
# clinic have long names. A segment in UCS-2 holds less than half of what one in GSM-7 does.
_MOST_SEGMENTS = {"GSM-7": 4, "UCS-2": 8}
_MOST_IN_A_BUNDLE = {"GSM-7": 7, "UCS-2": 14}


def plenty(size: SmsSize, reminders: int) -> int:
    """How many segments are enough for a text message that carries so many reminders."""
    return (_MOST_SEGMENTS if reminders == 1 else _MOST_IN_A_BUNDLE)[size.encoding]


def check(renderer: Renderer, protocols: Iterable[CareProtocol]) -> list[str]:
    """Every mistake as `file:line: message`; a text that is only too long as `…: warning: …`.

    Everything is read, then rendered in every language with awkward names: alone, bundled and as
    what corrects it; printed on the leaflets of the protocols, and as the answer to a reply. So is
    what staff are told.
    """
    protocols = tuple(protocols)
    misread = {
        text.path: read for text in renderer.texts.list_templates() if (read := faults(text))
    }
    found = [fault for read in misread.values() for fault in read]
    trials = (_rendering, _printing, _correcting, _answering, _alerting)
    for fault in chain.from_iterable(trial(renderer, protocols) for trial in trials):
        if not any(fault.startswith(f"{path}:") for path in misread):
            found.append(fault)
    return list(dict.fromkeys(found))


def _rendering(renderer: Renderer, protocols: Iterable[CareProtocol]) -> Iterator[str]:
    courses = [items(protocol) for protocol in protocols]
    used = {each.milestone.template for course in courses for each in course}
    names = {name for text in renderer.texts.list_templates() if (name := text.name)[0] != "_"}
    courses.append([item_of(name) for name in sorted(names - used)])
    for language in renderer.texts.languages():
        yield from _no_copy(renderer, language)
        for course in courses:
            yield from _course(renderer, course, language)


def _printing(renderer: Renderer, protocols: Iterable[CareProtocol]) -> Iterator[str]:
    for language in renderer.texts.languages():
        if renderer.texts.choose(language_chain(language, CLINIC.language), [LEAFLET]) is None:
            continue
        for protocol in protocols:
            for dated in (False, True):
                try:
                    page(renderer, treatment(protocol), CLINIC, language, dated=dated)
                except TemplateFailed as error:
                    yield error.message


def _correcting(renderer: Renderer, protocols: Iterable[CareProtocol]) -> Iterator[str]:
    texts = renderer.texts
    for protocol in protocols:
        chart, untrue = told_falsely(protocol)
        for language in texts.languages():
            there = [
                each
                for each in untrue
                if texts.choose([language], [CORRECTION, each.reminder.template])
            ]
            for name in AWKWARD_NAMES if there else ():
                told = replace(chart, patient=patient(name, language))
                try:
                    correction(renderer, told, there, SESSION_AT)
                except TemplateFailed as error:
                    yield error.message


def _alerting(renderer: Renderer, _: Iterable[CareProtocol]) -> Iterator[str]:
    """What the clinic's own people are told, in each language that has words of its own for it."""
    texts = renderer.texts
    for language in texts.languages():
        clinic = replace(CLINIC, language=language)
        for words in ALERTS if texts.choose([language], [ALERT]) else ():
            try:
                alert_page(renderer, clinic, words, SESSION_AT)
            except TemplateFailed as error:
                yield error.message
        for day in DIGESTS if texts.choose([language], [DIGEST]) else ():
            try:
                digest_page(renderer, clinic, day, SESSION_AT)
            except TemplateFailed as error:
                yield error.message


def _answering(renderer: Renderer, _: Iterable[CareProtocol]) -> Iterator[str]:
    for text in renderer.texts.list_templates():
        for kind in (kind for kind, name in TEMPLATES.items() if name == text.name):
            for is_emergency in (False, True):
                try:
                    said = answer(renderer, kind, CLINIC, text.language, is_emergency=is_emergency)
                except TemplateFailed as error:
                    yield error.message
                else:
                    yield from _longer_than_enough(text, said.size, CLINIC.name)


def _course(renderer: Renderer, course: Sequence[Item], language: str) -> Iterator[str]:
    # The days of one milestone differ in nothing but a number.
    once = {each.milestone.template: each for each in course}
    for each in once.values():
        yield from _too_long(renderer, each, language)
        for name in AWKWARD_NAMES:
            yield from _tried(renderer, [each], name, language)
    for name in AWKWARD_NAMES if len(once) > 1 else ():
        yield from _tried(renderer, list(once.values()), name, language)
        yield from _copied(renderer, list(once.values()), name, language)


def _no_copy(renderer: Renderer, language: str) -> Iterator[str]:
    if renderer.texts.plan(language) is None:
        place = renderer.texts.place(language, PLAN)
        yield (
            f"{place}:1: warning: there is no such file: the first mail after a treatment has no"
            " table of its dates, and no calendar, in this language"
        )


def _copied(renderer: Renderer, plan: Sequence[Item], name: str, language: str) -> Iterator[str]:
    try:
        renderer.copy(plan, patient(name, language), CLINIC)
    except TemplateFailed as error:
        yield error.message


def _tried(renderer: Renderer, together: Sequence[Item], name: str, language: str) -> Iterator[str]:
    for channel in Channel:
        outcome = _composed(renderer, together, name, language, channel)
        if isinstance(outcome, str):
            yield outcome


def _too_long(renderer: Renderer, one: Item, language: str) -> Iterator[str]:
    outcome = _composed(renderer, [one], LONGEST_NAME, language, Channel.SMS)
    if isinstance(outcome, str) or outcome.size is None:
        return
    text = renderer.texts.get(outcome.language, one.milestone.template)
    yield from _longer_than_enough(text, outcome.size, LONGEST_NAME)


def _longer_than_enough(text: Text, size: SmsSize, name: str) -> Iterator[str]:
    enough = plenty(size, 1)
    if size.segments > enough:
        yield (
            f"{text.path}:{text.line_of('sms')}: warning: the SMS takes {size.segments} segments"
            f" ({size.encoding}) to {name}; {enough} are plenty"
        )


def _composed(
    renderer: Renderer, together: Sequence[Item], name: str, language: str, channel: Channel
) -> Composed | str:
    """What came of it: the message, or the mistake that stands in its way."""
    try:
        return renderer.compose(together, patient(name, language), CLINIC, channel)
    except TemplateFailed as error:
        return error.message
