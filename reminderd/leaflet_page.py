"""The leaflet of a protocol as a page to print: in Markdown, and in HTML with its print styles.

Its template sees `clinic`, `protocol`, `session` and `groups`; its sentences are the `line`s of the
messages' own templates. What is not known (an instant, the clinic, the patient) is a blank line to
write on.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from reminderd import dates, markup
from reminderd.blocks import REMEDY
from reminderd.dates import BLANK, UNKNOWN, Moment
from reminderd.errors import TemplateFailed
from reminderd.leaflet import Row, Time, leaflet
from reminderd.lengths import lengths_of
from reminderd.model import Clinic, Kind
from reminderd.render import Renderer, clinic_words, locale_of
from reminderd.texts import LEAFLET, Text, language_chain
from reminderd.timing import Treatment
from reminderd.vocabulary import PatientWords, ProtocolWords, SessionWords

_SHELL = """\
<!doctype html>
<html lang="{language}" dir="{direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light }}
@page {{ margin: 15mm 17mm }}
body {{
  max-width: 44em; margin: 2em auto; padding: 0 1em;
  background: #fff; color: #000; font: 12pt/1.4 system-ui, sans-serif;
}}
h1 {{ margin: 0 0 .4em; font-size: 1.9em; line-height: 1.1 }}
h2 {{ margin: 1em 0 .3em; font-size: 1.2em; break-after: avoid }}
p {{ margin: .5em 0; break-inside: avoid }}
h2:last-of-type {{ padding-top: .6em; border-top: 3px solid }}
h2:last-of-type ~ p {{ break-before: avoid }}
p:last-child {{ margin-top: 1.5em; font-size: .8em }}
table {{ width: 100%; border-collapse: collapse }}
thead {{ display: none }}
tr {{ break-inside: avoid }}
td {{ padding: .45em 0; border-top: 1px solid #aaa; text-align: start; vertical-align: top }}
tr:first-child td {{ border-color: #000 }}
td:first-child {{ width: 40%; padding-inline-end: 1.2em }}
.blank {{ display: inline-block; width: 12em; margin-bottom: .35em; border-bottom: 1px solid }}
@media print {{ body {{ max-width: none; margin: 0; padding: 0 }} }}
</style>
</head>
<body>
<main>
{body}</main>
</body>
</html>
"""
_BLANK = '<span class="blank">&nbsp;</span>'


@dataclass(frozen=True, slots=True)
class LeafletPage:
    """A leaflet in one language, in both formats."""

    language: str
    markdown: str
    html: str


@dataclass(frozen=True, slots=True)
class TimeWords:
    """What the template may say of when a row counts; each form has its own part of it."""

    form: str
    length: str | None
    first: int | None
    last: int | None
    at: Moment
    until: Moment


@dataclass(frozen=True, slots=True)
class RowWords:
    """What the template may say of a row."""

    text: str
    times: tuple[TimeWords, ...]


@dataclass(frozen=True, slots=True)
class _Printer:
    """In which language, locale and zone a leaflet speaks, and whether it knows its instants."""

    renderer: Renderer
    language: str
    locale: str
    zone: str
    dated: bool
    common: Mapping[str, object]

    @property
    def source(self) -> Text:
        return self.renderer.texts.get(self.language, LEAFLET)

    def moment(self, instant: datetime | None) -> Moment:
        if instant is None or not self.dated:
            return UNKNOWN
        return dates.moment(instant, self.zone, self.locale)

    def row(self, row: Row) -> RowWords:
        text = self.renderer.texts.get(self.language, row.milestone.template)
        said = self.renderer.block(text, "line", {**self.common, **self._of(row)})
        return RowWords(markup.one_line(said), tuple(self._time(each) for each in row.times))

    def _of(self, row: Row) -> dict[str, object]:
        """What a line may ask for: as in a message, but of no single day."""
        of_course = row.milestone.kind is Kind.COURSE
        return {
            "patient": PatientWords(BLANK),
            "day": None,
            "days": None,
            "until": row.until and self.moment(row.until),
            "next_at": self.moment(row.next_at) if of_course else None,
        }

    def _time(self, time: Time) -> TimeWords:
        length = lengths_of(time.lengths, self.locale) if time.lengths else None
        at, until = self.moment(time.at), self.moment(time.until)
        return TimeWords(time.form.value, length, time.first, time.last, at, until)


def page(
    renderer: Renderer, treatment: Treatment, clinic: Clinic, language: str, *, dated: bool
) -> LeafletPage:
    """The leaflet of the treatment's protocol, in the first language of the chain that has it all.

    Its instants are those of the treatment where it is `dated`, else lines to write on. Raises
    TemplateFailed, also where no language has it all.
    """
    rows = leaflet(treatment)
    chosen = _language(renderer, rows, language_chain(language, clinic.language))
    locale = locale_of(language, chosen, clinic.country)
    printer = _printer(renderer, treatment, clinic, chosen, locale, dated)
    groups = {name: [printer.row(each) for each in group] for name, group in rows.items()}
    protocol = ProtocolWords(treatment.protocol.title, treatment.protocol.revision)
    variables = {**printer.common, "protocol": protocol, "groups": groups}
    return _printed(printer, renderer.block(printer.source, "page", variables), protocol.title)


def _language(renderer: Renderer, rows: Mapping[str, Sequence[Row]], chain: Sequence[str]) -> str:
    names = [each.milestone.template for group in rows.values() for each in group]
    language = renderer.texts.choose(chain, [*names, LEAFLET])
    if language is not None:
        return language
    there = {text.name for text in renderer.texts.list_templates() if text.language == chain[-1]}
    missing = next(name for name in (LEAFLET, *names) if name not in there)
    raise TemplateFailed(
        f'there is no template "{missing}" in {", ".join(chain)}',
        remedy=f"write {renderer.texts.place(chain[-1], missing)}",
    )


def _printer(
    renderer: Renderer,
    treatment: Treatment,
    clinic: Clinic,
    language: str,
    locale: str,
    dated: bool,
) -> _Printer:
    at = dates.moment(treatment.session.at, treatment.zone, locale) if dated else UNKNOWN
    common = {"clinic": clinic_words(clinic, language), "session": SessionWords(at, None)}
    return _Printer(renderer, language, locale, treatment.zone, dated, common)


def _printed(printer: _Printer, text: str, title: str) -> LeafletPage:
    right_to_left = dates.is_right_to_left(printer.language)
    try:
        body = markup.fragment(text, right_to_left)
    except ValueError as error:
        path = printer.source.path
        raise TemplateFailed(f"{path}:1: block page: {error}", remedy=REMEDY) from error
    whole = _SHELL.format(
        language=html.escape(printer.language.replace("_", "-")),
        direction="rtl" if right_to_left else "ltr",
        title=html.escape(title),
        body=body.replace(BLANK, _BLANK),
    )
    said = markup.markdown(text, BLANK)
    return LeafletPage(printer.language, f"{markup.without_gaps(said)}\n", whole)
