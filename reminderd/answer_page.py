"""The words of an automatic answer: they name the clinic and nobody else."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from reminderd import markup
from reminderd.errors import TemplateFailed
from reminderd.model import Clinic
from reminderd.render import Renderer, clinic_words
from reminderd.segments import SmsSize, measure, plain
from reminderd.texts import HELP, SAFETY
from reminderd.words import AnswerKind

log = logging.getLogger(__name__)

TEMPLATES = {AnswerKind.SAFETY: SAFETY, AnswerKind.HELP: HELP}


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """An automatic answer as a text message."""

    language: str
    text: str
    size: SmsSize


def first_answer(
    renderer: Renderer,
    kind: AnswerKind,
    clinic: Clinic,
    chain: Sequence[str],
    *,
    is_emergency: bool,
) -> AnswerPage | None:
    """The answer in the first language of the chain in which it can be said; None: in none.

    Somebody may be in danger: a mistake in one text is told to the log, and the next one is taken.
    """
    for language in chain:
        if renderer.texts.choose([language], [TEMPLATES[kind]]) is None:
            continue
        try:
            return answer(renderer, kind, clinic, language, is_emergency=is_emergency)
        except TemplateFailed as error:
            log.error("%s", error)
    return None


def answer(
    renderer: Renderer, kind: AnswerKind, clinic: Clinic, language: str, *, is_emergency: bool
) -> AnswerPage:
    """The answer in that language, which has it; raises TemplateFailed."""
    text = renderer.texts.get(language, TEMPLATES[kind])
    variables = {
        "clinic": clinic_words(clinic, language),
        "emergency_phone": clinic.emergency_phone,
        "is_emergency": is_emergency,
    }
    block = renderer.block(text, "sms", variables)
    said = plain(markup.paragraphs_as_lines(markup.unmarked(block)))
    return AnswerPage(language, said, measure(said))
