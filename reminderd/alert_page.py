"""What the clinic's own people are told, in words: one alert, or how the day stands."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from reminderd import dates, markup
from reminderd.errors import TemplateFailed
from reminderd.model import Clinic
from reminderd.render import Renderer, clinic_words, locale_of
from reminderd.texts import ALERT, DIGEST, Text, language_chain
from reminderd.vocabulary import AlertWords, DigestWords


@dataclass(frozen=True, slots=True)
class AlertPage:
    """A mail, and for services that others run a `note` that names nobody; empty where none is."""

    language: str
    subject: str
    text: str
    html: str | None
    note: str = ""


def alert_page(renderer: Renderer, clinic: Clinic, alert: AlertWords, since: datetime) -> AlertPage:
    """An alert in the clinic's language, else in English; raises TemplateFailed."""
    text = _template(renderer, clinic, ALERT)
    if dates.is_right_to_left(text.language) and alert.number:
        alert = replace(alert, number=markup.left_to_right(alert.number))
    variables = {
        "clinic": clinic_words(clinic, text.language),
        "alert": alert,
        "since": _moment(since, clinic, text),
    }
    note = markup.unmarked(renderer.block(text, "note", variables))
    return replace(_page(renderer, text, variables), note=markup.paragraphs_as_lines(note))


def digest_page(
    renderer: Renderer, clinic: Clinic, digest: DigestWords, now: datetime
) -> AlertPage:
    """How the day stands in the clinic's language, else in English; raises TemplateFailed."""
    text = _template(renderer, clinic, DIGEST)
    variables = {
        "clinic": clinic_words(clinic, text.language),
        "digest": digest,
        "today": _moment(now, clinic, text),
    }
    return _page(renderer, text, variables)


def _template(renderer: Renderer, clinic: Clinic, name: str) -> Text:
    chain = language_chain(None, clinic.language)
    language = renderer.texts.choose(chain, [name])
    if language is None:
        raise TemplateFailed(
            f"there is no template {name} in {', '.join(chain)}",
            remedy=f"write {renderer.texts.place(chain[-1], name)}",
        )
    return renderer.texts.get(language, name)


def _moment(instant: datetime, clinic: Clinic, text: Text) -> dates.Moment:
    locale = locale_of(clinic.language, text.language, clinic.country)
    return dates.moment(instant, clinic.timezone, locale)


def _page(renderer: Renderer, text: Text, variables: Mapping[str, object]) -> AlertPage:
    mail = renderer.mail(text, variables)
    return AlertPage(mail.language, mail.subject or "", mail.text, mail.html)
