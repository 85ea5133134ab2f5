"""What a careful nurse finds in the texts of a protocol: languages, offers, replies, length."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from reminderd.blocks import REMEDY, faults
from reminderd.errors import TemplateFailed
from reminderd.examination.offers import offers
from reminderd.findings import Remark, Severity
from reminderd.model import CareProtocol, Channel, Clinic, Kind, Milestone
from reminderd.proofread import plenty
from reminderd.render import Item, Renderer
from reminderd.sample import LONGEST_NAME, items, patient
from reminderd.segments import SmsSize
from reminderd.texts import BUNDLE, HELP, Text, Texts, language_chain, normal_tag

# The carriers answer these themselves, so that nobody at the clinic would hear of the reply.
_CARRIERS_WORD = re.compile(
    r"\b(?:STOP|STOPALL|UNSUBSCRIBE|CANCEL|END|QUIT|REVOKE|OPTOUT|START|UNSTOP|YES|HELP|INFO)\b"
)
# Asking for a reply, in the same sentence before the word.
_REPLY = re.compile(
    r"\b(?:reply|answer|respond\w*|text|send\w*|contest\w+|env[ií]\w+|répond\w+|envoy\w+|antwort\w*|"
    r"schreib\w*|أجب|أرسل|الرد|رد|اكتب)\b[^.!?{}]*$",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_BLOCK = re.compile(r"\{%-?\s*block (\w+)\s*-?%\}(.*?)\{%-?\s*endblock", re.DOTALL)
_PLACE = re.compile(r"(.*?):(\d+): ")
_EMERGENCY_NUMBER = re.compile(r"\b\d{3}\b")


def used_by(protocol: CareProtocol) -> dict[str, Milestone]:
    """The milestone that first uses each template."""
    return {each.template: each for each in reversed(protocol.milestones)}


# Languages ---------------------------------------------------------------------------------------


def missing_texts(
    protocol: CareProtocol,
    clinic: Clinic,
    texts: Texts,
    bundles: Sequence[Sequence[Milestone]],
    languages: Collection[str] | None,
) -> Iterator[Remark]:
    """What has no words in a language that is needed, or in one that other texts have.

    `languages` are those of patients; None where they are not known.
    """
    chain = language_chain(None, clinic.language)
    used = used_by(protocol)
    unwritten = {name for name in used if texts.choose(chain, [name]) is None}
    for name in sorted(unwritten):
        yield Remark(
            Severity.ERROR,
            used[name].id,
            f'there is no text "{name}" in {" or ".join(chain)}, so that it cannot be sent',
            f"Write {texts.place(chain[-1], name)}.",
        )
    yield from _unspeakable(chain, texts, bundles, unwritten)
    written = {name: milestone for name, milestone in used.items() if name not in unwritten}
    spoken = None if languages is None else _forms([clinic.language, *languages])
    yield from _partly_translated(written, texts, spoken)
    yield from _untranslated(written, clinic, texts, languages or ())


def _forms(languages: Iterable[str]) -> set[str]:
    """`pt_BR` and `pt`, wherever somebody is written to in one of them."""
    tags = {normal_tag(each) for each in languages}
    return tags | {each.partition("_")[0] for each in tags}


def _unspeakable(
    chain: Sequence[str],
    texts: Texts,
    bundles: Sequence[Sequence[Milestone]],
    unwritten: set[str],
) -> Iterator[Remark]:
    """Messages of several whose texts are each there, and never all in one language."""
    for together in bundles:
        names = {each.template for each in together}
        if names.isdisjoint(unwritten) and texts.choose(chain, {*names, BUNDLE}) is None:
            yield Remark(
                Severity.ERROR,
                together[0].id,
                f"{' + '.join(each.id for each in together)} leave as one message, and neither"
                f" {' nor '.join(chain)} has all of its texts and {BUNDLE}",
                f"Write what is missing in {chain[0]}.",
            )


def _partly_translated(
    used: Mapping[str, Milestone], texts: Texts, spoken: set[str] | None
) -> Iterator[Remark]:
    """Texts that some languages lack; a hint alone where nobody is written to in these."""
    lacking: dict[tuple[Severity, tuple[str, ...]], list[str]] = {}
    for language in texts.languages():
        missing = tuple(name for name in used if texts.choose([language], [name]) is None)
        if missing and len(missing) < len(used):
            is_spoken = spoken is None or language in spoken
            severity = Severity.WARNING if is_spoken else Severity.HINT
            lacking.setdefault((severity, missing), []).append(language)
    for (severity, missing), languages in lacking.items():
        yield Remark(
            severity,
            used[missing[0]].id,
            f"there is no text in {', '.join(languages)} for {', '.join(missing)}, though for"
            " others there is: who reads these gets them in another language",
            f"Write {texts.place(languages[0], missing[0])}, and likewise the others.",
        )


def _untranslated(
    used: Mapping[str, Milestone], clinic: Clinic, texts: Texts, languages: Iterable[str]
) -> Iterator[Remark]:
    """Languages in which somebody is written to, and nobody wrote a text."""
    whose = {**dict.fromkeys(sorted(languages), "patients"), clinic.language: "the clinic"}
    for language, who in whose.items():
        forms = sorted(_forms([language]))
        if used and not any(texts.choose(forms, [name]) for name in used):
            place = texts.place(normal_tag(language), next(iter(used)))
            yield Remark(
                Severity.WARNING,
                None,
                f'there is no text in "{language}", the language of {who}: it comes in another',
                f"Write {place}, and likewise the others.",
            )


# Words -------------------------------------------------------------------------------------------


def wrong_words(protocol: CareProtocol, texts: Texts) -> Iterator[Remark]:
    """Offers and prices, replies that nobody would read, and check-ins without a way to call."""
    used = used_by(protocol)
    for text in texts.list_templates():
        if text.name in used or text.name.startswith("_"):
            yield from _offers(text, used.get(text.name))
            yield from _carriers_words(text, used.get(text.name))
        if text.name in used and used[text.name].kind is Kind.CHECK:
            yield from _helpless(text, used[text.name])


def _in_text(
    severity: Severity, text: Text, at: int, milestone: Milestone | None, what: str, remedy: str
) -> Remark:
    line = text.source.count("\n", 0, at) + 1
    name = milestone.id if milestone else None
    return Remark(severity, name, what, remedy, str(text.path), line)


def _offers(text: Text, milestone: Milestone | None) -> Iterator[Remark]:
    for at, words in _offers_in(text):
        yield _in_text(
            Severity.ERROR,
            text,
            at,
            milestone,
            f'"{words}" reads like an offer or a price: care messages need no consent to'
            " marketing, an offer does",
            "Take it out; offers do not belong into aftercare.",
        )


@lru_cache(maxsize=1024)  # protocols share their texts
def _offers_in(text: Text) -> tuple[tuple[int, str], ...]:
    return tuple(offers(text.language, _without_comments(text)))


def _carriers_words(text: Text, milestone: Milestone | None) -> Iterator[Remark]:
    source = _without_comments(text)
    for match in _CARRIERS_WORD.finditer(source):
        if (text.name, match[0]) == (HELP, "STOP"):
            continue  # it says how the messages end
        if _REPLY.search(source[max(0, match.start() - 80) : match.start()]):
            yield _in_text(
                Severity.WARNING,
                text,
                match.start(),
                milestone,
                f"asks for the reply {match[0]}, which carriers and providers answer themselves",
                "Ask for a number, or for other words.",
            )


def _helpless(text: Text, milestone: Milestone) -> Iterator[Remark]:
    """A question after the patient's health whose text does not say whom to call."""
    for block in _BLOCK.finditer(_without_comments(text)):
        if block[1] in ("sms", "email"):
            missing = [
                what
                for what, is_there in (
                    ("the clinic's phone", "clinic.phone" in block[2]),
                    ("an emergency number", _EMERGENCY_NUMBER.search(block[2])),
                )
                if not is_there
            ]
            if missing:
                yield _in_text(
                    Severity.WARNING,
                    text,
                    block.start(),
                    milestone,
                    f"asks how the patient is, and its {block[1]} lacks {' and '.join(missing)}",
                    "Say when to call {{ clinic.phone }}, and when 112 or the local number.",
                )


def _without_comments(text: Text) -> str:
    """The source with every comment blanked, so that lines stay where they are."""
    return _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text.source)


# Everything said, to a long name ------------------------------------------------------------------


def badly_said(
    protocol: CareProtocol,
    clinic: Clinic,
    renderer: Renderer,
    bundles: Sequence[Sequence[Milestone]],
) -> Iterator[Remark]:
    """What cannot be put into words, and text messages that take too many segments."""
    misread = list(_misread(protocol, renderer.texts))
    yield from misread
    files = {each.file for each in misread}
    said = _told_to_a_long_name(protocol, clinic, renderer, bundles)
    yield from (each for each in said if each.file not in files)


def _misread(protocol: CareProtocol, texts: Texts) -> Iterator[Remark]:
    """What is seen in a text without anything to say by it."""
    used = used_by(protocol)
    for text in texts.list_templates():
        if text.name in used or text.name == BUNDLE:
            milestone = used.get(text.name, protocol.milestones[0])
            for fault in faults(text):
                yield _cannot_be_written(milestone, TemplateFailed(fault, remedy=REMEDY))


def _told_to_a_long_name(
    protocol: CareProtocol,
    clinic: Clinic,
    renderer: Renderer,
    bundles: Sequence[Sequence[Milestone]],
) -> Iterator[Remark]:
    by_id = {each.milestone.id: each for each in items(protocol)}
    used = used_by(protocol)
    for language in renderer.texts.languages():
        for name, milestone in used.items():
            if renderer.texts.choose([language], [name]):
                yield from _said(renderer, clinic, language, [by_id[milestone.id]])
        said: set[frozenset[str]] = set()
        for together in bundles:
            names = frozenset(each.template for each in together)
            if names not in said and renderer.texts.choose([language], {*names, BUNDLE}):
                said.add(names)
                listed = [by_id[each.id] for each in together]
                yield from _said(renderer, clinic, language, listed)


def _said(
    renderer: Renderer, clinic: Clinic, language: str, together: Sequence[Item]
) -> Iterator[Remark]:
    for channel in Channel:
        try:
            told = renderer.compose(together, patient(LONGEST_NAME, language), clinic, channel)
        except TemplateFailed as error:
            yield _cannot_be_written(together[0].milestone, error)
        else:
            yield from _too_long(renderer, language, together, told.size)


def _too_long(
    renderer: Renderer, language: str, together: Sequence[Item], size: SmsSize | None
) -> Iterator[Remark]:
    if size is None or size.segments <= (enough := plenty(size, len(together))):
        return
    first = together[0].milestone
    names = " + ".join(each.milestone.id for each in together)
    takes = f"{names} takes {size.segments} segments ({size.encoding}) as an SMS"
    what = f'{takes} in "{language}" to {LONGEST_NAME}; {enough} are plenty'
    if len(together) > 1:
        remedy = "Shorten what these texts say in the block `line`, or let them leave apart."
        yield Remark(Severity.WARNING, first.id, what, remedy)
    else:
        text = renderer.texts.get(language, first.template)
        remedy = f"Shorten it. See: reminderd preview {first.template} --language {language}"
        line = text.line_of("sms")
        yield Remark(Severity.WARNING, first.id, what, remedy, str(text.path), line)


def _cannot_be_written(milestone: Milestone, error: TemplateFailed) -> Remark:
    place = _PLACE.match(error.message)
    if place is None:
        return Remark(Severity.ERROR, milestone.id, error.message, error.remedy)
    what = error.message[place.end() :]
    return Remark(Severity.ERROR, milestone.id, what, error.remedy, place[1], int(place[2]))
