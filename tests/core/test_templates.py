"""The texts that ship: every language says everything, kindly, safely and short."""

import re
from pathlib import Path

import pytest

from reminderd.model import CareProtocol, Channel, Kind
from reminderd.proofread import check
from reminderd.protocols import load
from reminderd.render import Composed, Item, Renderer
from reminderd.resources import protocols_dir, templates_dir
from reminderd.sample import AWKWARD_NAMES, CLINIC, bundles, items, patient
from reminderd.texts import BUNDLE
from tests.core.languages import EXPECTED

RENDERER = Renderer([templates_dir()])
PROTOCOLS = {path.stem: load(path) for path in sorted(protocols_dir().glob("*.toml"))}
SINGLES = {
    each.milestone.template: each for protocol in PROTOCOLS.values() for each in items(protocol)
}
in_every_language = pytest.mark.parametrize("language", EXPECTED)
every_single = pytest.mark.parametrize("name", sorted(SINGLES))

NEVER_REPLY = re.compile(
    r"\b(YES|START|CANCEL|END|QUIT|INFO|STOP|HELP|UNSUBSCRIBE"
    r"|ARR[EÊ]T|OUI|AIDE|FIN|ANNULER|D[EÉ]SABONNER"
    r"|STOPP|ENDE|ABMELDEN|ABBRECHEN|HILFE"
    r"|SIM|PARE|PARAR|SAIR|CANCELAR|AJUDA|INICIAR|FIM"
    r"|نعم|توقف|إلغاء|ابدأ|مساعدة)\b"
)
NEVER_SAID = re.compile(
    r"permanent|no (help|assistance|doctor) (is )?needed|https?:|www\.|discount|offer|price|"
    r"free of charge|guarantee|cure|will heal|descuento|oferta|precio|garant|curar|"
    r"خصم|تخفيض|\bعرض\b|عروض|سعر|مجان|ضمان|مضمون|نضمن|شفاء|[يت]شفي|دائم|"
    r"\brabais|\bremise|réduction|promotion|\boffre|prix|tarif|gratuit|guéri|définitif|"
    r"rabatt|angebot|\bpreis|kostenlos|umsonst|heil(t|en|ung)|dauerhaft|bleibend|"
    r"desconto|preço|promoç|grátis|\bcura\b|sarar|definitiv",
    re.IGNORECASE,
)


def told(together: list[Item], language: str, channel: Channel, name: str = "Marina") -> Composed:
    return RENDERER.compose(together, patient(name, language), CLINIC, channel)


def sms(name: str, language: str) -> str:
    return told([SINGLES[name]], language, Channel.SMS).text


def names_in(language: str) -> set[str]:
    return {text.name for text in RENDERER.texts.list_templates() if text.language == language}


def test_proofreading_finds_nothing() -> None:
    assert check(RENDERER, PROTOCOLS.values()) == []


@in_every_language
def test_every_milestone_has_its_words_in_every_language(language: str) -> None:
    there = names_in(language)
    assert {name for name in there if not name.startswith("_")} == {*SINGLES}
    assert {name for name in there if name.startswith("_")} == {
        name for name in names_in("en") if name.startswith("_")
    }


@in_every_language
@every_single
def test_a_text_message_names_the_clinic_and_the_patient_once(name: str, language: str) -> None:
    text = sms(name, language)
    assert text.startswith(CLINIC.name) or text.endswith(CLINIC.name)
    assert text.count("Marina") == 1


@in_every_language
@every_single
@pytest.mark.parametrize("channel", list(Channel))
def test_nothing_is_said_that_must_reach_nobody(name: str, language: str, channel: Channel) -> None:
    composed = told([SINGLES[name]], language, channel)
    line = RENDERER.texts.get(language, name).source
    for text in (composed.text, composed.subject or "", line):
        assert not NEVER_REPLY.search(text)
        assert not NEVER_SAID.search(text)


@in_every_language
@every_single
def test_a_mail_greets_says_goodbye_and_gives_the_phone(name: str, language: str) -> None:
    composed = told([SINGLES[name]], language, Channel.EMAIL)
    assert composed.subject is not None
    assert 5 < len(composed.subject) < 60
    assert composed.text.startswith(EXPECTED[language].greeting)
    assert composed.text.endswith(CLINIC.name)
    assert CLINIC.phone in composed.text


@in_every_language
@pytest.mark.parametrize("name", AWKWARD_NAMES)
def test_an_awkward_name_is_never_markup_in_any_mail(name: str, language: str) -> None:
    together = [*SINGLES.values()]
    for group in [together, *([each] for each in together)]:
        html = told(group, language, Channel.EMAIL, name).html
        assert html is not None
        assert not re.search(r"<(b|a|code|h\d|img|script)\b", html.partition("<main")[2])


@every_single
def test_an_english_text_message_takes_two_segments_unless_it_names_red_flags(name: str) -> None:
    size = told([SINGLES[name]], "en", Channel.SMS).size
    assert size is not None
    assert size.encoding == "GSM-7"
    assert size.segments <= (3 if SINGLES[name].milestone.kind is Kind.CHECK else 2)


def checks() -> list[str]:
    return [name for name, each in SINGLES.items() if each.milestone.kind is Kind.CHECK]


@in_every_language
@pytest.mark.parametrize("channel", list(Channel))
@pytest.mark.parametrize("bundled", [False, True])
def test_every_check_in_asks_for_a_number_and_names_the_red_flags(
    language: str, channel: Channel, bundled: bool
) -> None:
    for name in checks():
        together = [SINGLES[name], SINGLES["spf"]] if bundled else [SINGLES[name]]
        text = told(together, language, channel).text
        assert all(flag in text for flag in EXPECTED[language].red_flags), name
        assert re.search(r"1 \(.*5 \(", text), name
        assert CLINIC.phone in text


@in_every_language
def test_a_reply_is_asked_for_in_messages_and_not_where_nobody_can_reply(language: str) -> None:
    reply = EXPECTED[language].reply
    for name in checks():
        source = RENDERER.texts.get(language, name).source
        line = source.partition("{% block line %}")[2].partition("{% endblock %}")[0]
        assert reply not in line  # it is also in the table of dates, the calendar, on the leaflet
        for channel in Channel:
            assert reply in told([SINGLES[name]], language, channel).text
            bundled = told([SINGLES[name], SINGLES["spf"]], language, channel).text
            assert bundled.count(reply) == 1


@in_every_language
def test_every_restriction_says_until_when(language: str) -> None:
    for name, each in SINGLES.items():
        if each.milestone.kind is Kind.RESTRICTION:
            pattern = EXPECTED[language].dates
            assert re.search(pattern, sms(name, language)), name
            assert re.search(pattern, told([each, each], language, Channel.SMS).text), name


@in_every_language
def test_ice_is_always_wrapped_in_a_cloth(language: str) -> None:
    for together in ([SINGLES["ice"]], [SINGLES["ice"], SINGLES["spf"]]):
        for channel in Channel:
            text = told(together, language, channel).text
            assert EXPECTED[language].cloth in text
            assert EXPECTED[language].never in text


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_a_bundle_greets_once_and_an_english_one_is_four_segments_at_most(name: str) -> None:
    protocol: CareProtocol = PROTOCOLS[name]
    for together in bundles(items(protocol)):
        composed = told(together, "en", Channel.SMS)
        assert composed.size is not None
        assert composed.size.segments <= 4
        assert composed.text.count("Hello") + composed.text.count("Good news, Marina") == 1
        assert composed.text.count(CLINIC.name) == 1


def test_a_day_0_bundle_reads_like_one_message() -> None:
    day_0 = max(bundles(items(PROTOCOLS["mesotherapy"])), key=len)
    assert told(day_0, "en", Channel.SMS).text == (
        "Hello Marina, a few things that help your skin:\n"
        "Until Saturday 28 March at 02:30, please:\n"
        "- Keep the treated area dry: no shower, and no washing there.\n"
        "Until Sunday 29 March at 15:30, please:\n"
        "- Avoid hard exercise.\n"
        "- Stay out of hot tubs and saunas, and do not sunbathe.\n"
        "Take anti-inflammatory medicine only the way we advised you. If the area swells or burns,"
        " hold an ice pack wrapped in a cloth on it, never ice straight on the skin.\n"
        "Any questions? Call us: +34 910 000 000. Warm wishes, Alba Skin Clinic"
    )


def test_three_all_clears_are_one_graceful_message() -> None:
    clear = [SINGLES[f"{topic}-again"] for topic in ("exercise", "heat", "sunbathing")]
    assert told(clear, "es", Channel.SMS).text == (
        "Hola, Marina: buenas noticias.\n"
        "Ya puedes hacer ejercicio: empieza con suavidad. El jacuzzi y la sauna vuelven a estar"
        " permitidos; poco a poco al principio. Puedes tomar un poco el sol, con crema solar de"
        " factor 30 o superior.\n"
        "¿Dudas? Llama al +34 910 000 000. Un abrazo, Alba Skin Clinic"
    )


def test_the_packaged_folder_is_where_the_package_says() -> None:
    assert Path(templates_dir(), "en", f"{BUNDLE}.j2").is_file()
