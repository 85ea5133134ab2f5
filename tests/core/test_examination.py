"""`protocol check` finds what a careful nurse would, and cries wolf over nothing."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reminderd import protocols
from reminderd.examination.nurse import SAMPLE_CLINIC, Examination
from reminderd.examination.offers import offers
from reminderd.findings import Remark, Severity
from reminderd.model import Clinic, QuietHours
from reminderd.render import Renderer
from reminderd.resources import protocols_dir, templates_dir
from tests.core.protocol_file import COURSE, HEAD, milestone

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ERROR, WARNING, HINT = Severity.ERROR, Severity.WARNING, Severity.HINT
PACKAGED = sorted(protocols_dir().glob("*.toml"))


def examined(
    path: Path, *, clinic: Clinic = SAMPLE_CLINIC, languages: tuple[str, ...] | None = None
) -> list[Remark]:
    """What is found in a protocol file; texts beside it, in `templates`, win."""
    renderer = Renderer([path.parent / "templates", templates_dir()])
    return Examination([clinic], renderer, NOW, languages).of(protocols.read(path))


def written(folder: Path, *milestones: str, head: str = HEAD) -> Path:
    path = folder / "care.toml"
    path.write_text(head + "".join(milestones), encoding="utf-8")
    return path


def text(folder: Path, name: str, words: str, language: str = "en") -> Path:
    """A template whose every block says the same."""
    path = folder / "templates" / language / f"{name}.j2"
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = ("line", "sms", "subject", "email")
    path.write_text(
        "".join(f"{{% block {each} %}}{words}{{% endblock %}}\n" for each in blocks), "utf-8"
    )
    return path


def rule(id: str, **values: object) -> str:
    """A milestone with the words of `spf`, unless others are given."""
    return milestone(**{"id": id, "template": "spf", **values})


def no(id: str = "no-heat", **values: object) -> str:
    """A restriction of 48 hours on heat, from the treatment on."""
    given = {"kind": "restriction", "topics": ["heat"], "holds": "48h", "expires": None}
    return rule(id, **{**given, "quiet": "ignore", **values})


def again(id: str = "heat-again", **values: object) -> str:
    """The all-clear for heat, when it is time."""
    given = {"kind": "release", "topics": ["heat"], "after": "48h", "expires": "2d"}
    return rule(id, **{**given, **values})


def on(day: int | list[int], at: str, **values: object) -> dict[str, object]:
    """Timing by the calendar."""
    return {"after": None, "day" if isinstance(day, int) else "days": day, "at": at, **values}


NIGHT = {"after": "12h", "expires": "2h"}
PLANTED: dict[str, tuple[str, Severity, str, str]] = {
    "quiet hours outlast it": (
        rule("tip", **NIGHT),
        WARNING,
        "tip",
        "a session between 09:00 and 18:00 never gets it: quiet hours (21:00-08:00) put it off"
        " until it has expired; on 28 March 2026, the day before clocks go forward, between",
    ),
    "the treatment comes first": (
        rule("tip", after=None, before="1h", expires="1h"),
        WARNING,
        "tip",
        "between 00:00 and 08:00 or between 22:00 and 23:59 never gets it: quiet hours"
        " (21:00-08:00) put it off until the treatment",
    ),
    "dropped by choice": (
        rule("tip", after="12h", quiet="drop"),
        HINT,
        "tip",
        "between 09:00 and 19:59 never gets it: it falls into quiet hours (21:00-08:00) and is",
    ),
    "never at all": (
        rule("tip", **on(1, "22:00", expires="3h")),
        ERROR,
        "tip",
        "no session ever gets it: quiet hours (21:00-08:00) put it off until it has expired",
    ),
    "the course is over before it": (
        rule("next", kind="course", after=None, lead="-2d", at="10:00"),
        ERROR,
        "next",
        "no session ever gets it: the course is complete before it",
    ),
    "a routine that a restriction forbids": (
        no(note="-") + rule("sauna", kind="routine", topics=["heat"], **on([1, 5], "10:00")),
        WARNING,
        "sauna",
        "a session at any time of day (day 1) and between 10:01 and 23:59 (day 2) never gets it:"
        " no-heat forbids heat then",
    ),
    "a routine that is always forbidden": (
        no(note="-") + rule("sauna", kind="routine", topics=["heat"], **on(1, "10:00")),
        ERROR,
        "sauna",
        "no session ever gets it: no-heat forbids heat then",
    ),
    "a restriction that may be told when it is over": (
        no(note="-", holds="3h", expires="24h"),
        WARNING,
        "no-heat",
        "may be told when it is over: it holds 3h from the treatment on",
    ),
    "a restriction that is always told too late": (
        no(note="-", holds="24h", **on(2, "10:00", expires="1d")),
        ERROR,
        "no-heat",
        "is told when it is over: it holds 24h from the treatment on",
    ),
    "a restriction that nobody lifts": (
        no(topics=["heat", "sun"]) + again(),
        WARNING,
        "no-heat",
        "nobody tells the patient when it is over: no release for sun",
    ),
    "an all-clear for nothing": (
        again(),
        WARNING,
        "heat-again",
        "gives an all-clear for heat, which no restriction forbids",
    ),
    "an all-clear too early": (
        no() + again(after="24h"),
        ERROR,
        "heat-again",
        "no session ever gets it: no-heat still forbids heat then, and the all-clear is withheld",
    ),
    "an all-clear that is early for some": (
        no() + again(**on(2, "10:00")),
        WARNING,
        "heat-again",
        "a session between 10:01 and 23:59 never gets it: no-heat still forbids heat",
    ),
    "another restriction still forbids it": (
        no() + no("no-sauna", holds="3d", note="-") + again(),
        ERROR,
        "heat-again",
        "no-sauna still forbids heat then",
    ),
    "two messages in one hour": (
        rule("tip", **on(1, "10:00")) + rule("other", **on(1, "10:40")),
        HINT,
        "tip",
        "tip and other leave within one hour after a session at any time of day",
    ),
    "too many messages a day": (
        "".join(rule(f"tip-{at}", **on(1, f"{at}:00")) for at in (10, 12, 14, 16)),
        WARNING,
        "tip-10",
        "4 messages on one date, day 1, after a session on 12 July 2026 at 00:00: tip-10, tip-12,",
    ),
    "only with a tag": (
        no(only_for=["sauna"], note="-")
        + rule("tip", kind="routine", topics=["heat"], **on(1, "10:00")),
        WARNING,
        "tip",
        'a session tagged "sauna" at any time of day never gets it: no-heat forbids heat then',
    ),
}


@pytest.mark.parametrize(("planted", "severity", "name", "what"), PLANTED.values(), ids=PLANTED)
def test_a_fault_of_the_timing_is_found_at_its_line(
    tmp_path: Path, planted: str, severity: Severity, name: str, what: str
) -> None:
    head = HEAD + (COURSE + "sessions = [1, 1]\n" if "course" in planted else "")
    path = written(tmp_path, planted, head=head)
    serious = [each for each in examined(path) if severity is HINT or each.severity is not HINT]
    assert len(serious) == 1, serious
    found = serious[0]
    line = path.read_text("utf-8").splitlines().index(f'id = "{name}"')  # one below its header
    assert (found.file, found.line, found.severity) == (str(path), line, severity)
    assert found.milestone == name
    assert what in found.what
    assert found.remedy


def test_what_a_remark_shows_can_be_seen_with_plan(tmp_path: Path) -> None:
    found = examined(written(tmp_path, rule("tip", **NIGHT)))[0]
    assert found.remedy is not None
    assert found.remedy.endswith("See: reminderd plan care --at 2026-07-12T09:00")


def test_a_release_that_may_come_early_is_a_mistake_of_the_format(tmp_path: Path) -> None:
    path = written(tmp_path, no() + again(quiet="advance"))
    with pytest.raises(protocols.FaultsFound, match="would give the all-clear too early"):
        protocols.read(path)


@pytest.mark.parametrize(
    "milestones",
    [
        no(note="Lasts as long as the patient wants.") + rule("tip", **on(3, "10:00")),
        no(after=None, before="24h", holds="0m"),  # the treatment ends it
        no(only_for=["a"], note="-") + rule("tip", topics=["heat"], kind="routine", only_for=["b"]),
        rule("tip", **on(1, "10:00", channels=["sms"]))
        + rule("other", **on(1, "10:30", channels=["email"])),
        no() + again() + rule("tip", after="48h", topics=["heat"], kind="routine"),
    ],
    ids=["noted", "ends with the treatment", "other sessions", "other channels", "in time"],
)
def test_what_is_well_is_let_be(tmp_path: Path, milestones: str) -> None:
    assert examined(written(tmp_path, milestones)) == []


@pytest.mark.parametrize("path", PACKAGED, ids=[path.stem for path in PACKAGED])
def test_the_packaged_protocols_have_neither_errors_nor_warnings(path: Path) -> None:
    assert [each for each in examined(path) if each.severity is not HINT] == []


def test_each_clinic_is_tried_with_its_own_quiet_hours(tmp_path: Path) -> None:
    path = written(tmp_path, rule("tip", **NIGHT))
    awake = replace(SAMPLE_CLINIC, quiet_hours=QuietHours.parse("00:00-00:00"))
    assert examined(path, clinic=awake) == []
    both = Examination([awake, SAMPLE_CLINIC, SAMPLE_CLINIC], Renderer([templates_dir()]), NOW)
    assert both.of(protocols.read(path)) == examined(path)


# Texts -------------------------------------------------------------------------------------------


def test_an_offer_among_care_is_found_at_its_line(tmp_path: Path) -> None:
    words = "Hello {{ patient.given_name }},\n20 % off your next session. {{ clinic.name }}"
    path = text(tmp_path, "tip", words)
    found = examined(written(tmp_path, milestone()))
    offers = [each for each in found if each.severity is ERROR]
    assert [(each.file, each.line, each.milestone) for each in offers] == [
        (str(path), line, "tip") for line in (2, 4, 6, 8)
    ]
    assert offers[0].what.startswith('"20 % off" reads like an offer or a price')


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Book your next visit now and save 20 %."),
        ("en", "Our special offer: two for 1."),
        ("en", "The price is €90."),
        ("en", "Buy our cream online today."),
        ("es", "Un 20 % de descuento si vienes en mayo."),
        ("es", "Aprovecha nuestra oferta: 90 euros."),
        ("es", "Reserva tu sesión ya."),
        ("fr", "Une offre pour vous : séance offerte."),
        ("fr", "Réservez votre soin maintenant, 30 % de réduction."),
        ("fr", "Nos tarifs : 90 €."),
        ("pt", "Aproveite o desconto, 90 EUR."),
        ("pt", "Marque a sua sessão já."),
        ("pt", "Preços especiais."),
        ("de", "Unser Sommerangebot: 20 % Rabatt."),
        ("de", "Buchen Sie die nächste Sitzung jetzt zum halben Preis."),
        ("ar", "خصم خاص لك اليوم."),
        ("ar", "احجز جلستك الآن."),
        ("ar", "بسعر 90 درهم."),
        ("it", "Solo 90 € oggi."),
    ],
)
def test_offers_and_prices_are_known_in_every_language(language: str, words: str) -> None:
    assert list(offers(language, words))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "We offer help at any price you can think of: just call. This offers protection."),
        ("en", "Stop creams with 1 % Retin-A or 20 % glycolic acid 2 days before."),
        ("en", "SPF 30+, 15 to 20 minutes, 1-2 % urea, feel free to call, fragrance-free."),
        ("en", "A great deal of water; cream of the size of a 2 euro coin; book in good time."),
        ("es", "Ofrecemos ayuda. Una gota como una moneda de 1 euro. Aprecia el descanso."),
        ("fr", "Évitez à tout prix le soleil. La crème offre une protection."),
        ("fr", "Réduction du gonflement en quelques jours."),
        ("fr", "Une noisette, comme une pièce de 2 euros. Remettez de la crème."),
        ("pt", "Descanse. Aprecie a sombra. Um saldo de energia."),
        ("de", "Meiden Sie die Sonne um jeden Preis. Sparen Sie die Stelle aus."),
        ("ar", "أعراض مثل الحمى. لتخفيض التورم. سعرات حرارية."),
    ],
)
def test_care_is_not_taken_for_an_offer(language: str, words: str) -> None:
    assert list(offers(language, words)) == []


def test_a_language_that_only_some_texts_have_is_named(tmp_path: Path) -> None:
    for language in ("en", "it"):
        text(tmp_path, "tip", "{{ patient.given_name }}, {{ clinic.name }}", language)
    path = written(tmp_path, milestone() + rule("sun", **on(1, "10:00")))
    found = [
        (each.severity, each.milestone, each.what.partition(", though")[0])
        for each in examined(path)
    ]
    assert found == [
        (WARNING, "tip", "there is no text in ar, de, es, fr, pt for tip"),
        (WARNING, "sun", "there is no text in it for spf"),
    ]


def test_a_language_in_which_nobody_is_written_to_is_a_hint(tmp_path: Path) -> None:
    text(tmp_path, "tip", "{{ patient.given_name }}, {{ clinic.name }}")
    path = written(tmp_path, milestone() + rule("sun", **on(1, "10:00")))
    found = [(each.severity, each.what[:32]) for each in examined(path, languages=("pt_BR",))]
    assert found == [
        (WARNING, "there is no text in pt for tip, "),
        (HINT, "there is no text in ar, de, es, "),
    ]


def test_a_text_that_nobody_wrote_is_an_error(tmp_path: Path) -> None:
    text(tmp_path, "tip", "{{ patient.given_name }}, {{ clinic.name }}", "it")
    path = written(tmp_path, milestone())
    assert [each.severity for each in examined(path)] == [ERROR]
    assert 'there is no text "tip" in en' in examined(path)[0].what
    assert examined(path, clinic=replace(SAMPLE_CLINIC, language="it")) == []


def test_texts_that_leave_together_need_one_language_for_all(tmp_path: Path) -> None:
    words = "{{ patient.given_name }}, {{ clinic.name }}"
    text(tmp_path, "one", words, "it")
    text(tmp_path, "two", words, "en")
    path = written(tmp_path, milestone(id="one"), milestone(id="two"))
    errors = [
        each
        for each in examined(path, clinic=replace(SAMPLE_CLINIC, language="it"))
        if each.severity is ERROR
    ]
    assert len(errors) == 1
    assert "one + two leave as one message, and neither it nor en has all" in errors[0].what


def test_a_language_that_patients_speak_and_nobody_wrote_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, rule("tip"))
    assert examined(path, languages=("pt_BR", "es", "en_GB")) == []
    found = examined(path, languages=("it",))
    assert [(each.severity, each.line) for each in found] == [(WARNING, 1)]
    assert 'there is no text in "it", the language of patients' in found[0].what


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("Reply YES if all is well, or call {{ clinic.phone }} or 112.", "asks for the reply YES"),
        ("How are you, from 1 to 5? Emergency: 112.", "lacks the clinic's phone"),
        ("How are you, from 1 to 5? Call {{ clinic.phone }}.", "lacks an emergency number"),
    ],
)
def test_a_check_in_asks_for_what_can_be_read_and_says_whom_to_call(
    tmp_path: Path, words: str, what: str
) -> None:
    text(tmp_path, "tip", words)
    found = examined(written(tmp_path, milestone(kind="check")))
    assert found
    assert {each.severity for each in found} == {WARNING}
    assert all(what in each.what for each in found)


def test_capital_letters_alone_ask_for_no_reply(tmp_path: Path) -> None:
    text(tmp_path, "tip", "Please STOP using retinol. INFO for {{ patient.given_name }}.")
    assert examined(written(tmp_path, milestone())) == []


@pytest.mark.parametrize(("letter", "letters"), [("a", 700), ("я", 600)])
def test_a_text_that_is_too_long_for_a_long_name_is_named(
    tmp_path: Path, letter: str, letters: int
) -> None:
    words = "{{ patient.given_name }} {{ clinic.name }} "
    path = text(tmp_path, "tip", words + letter * letters)
    found = [each for each in examined(written(tmp_path, milestone())) if "segments" in each.what]
    assert [(each.file, each.line, each.severity) for each in found] == [(str(path), 1, WARNING)]
    text(tmp_path, "tip", words + letter * (letters // 2))
    assert not [each for each in examined(written(tmp_path, milestone())) if "segm" in each.what]


def test_a_bundle_that_is_too_long_is_named_where_it_really_falls_together(
    tmp_path: Path,
) -> None:
    for name in ("one", "two"):
        text(tmp_path, name, "{{ patient.given_name }} " + name[0] * 600)
    apart = milestone(id="one") + milestone(id="two", after="13h")
    assert not [each for each in examined(written(tmp_path, apart)) if " + " in each.what]
    together = milestone(id="one", quiet="ignore") + milestone(id="two", quiet="ignore")
    found = [each for each in examined(written(tmp_path, together)) if " + " in each.what]
    assert [(each.severity, each.milestone) for each in found] == [(WARNING, "one")]
    assert found[0].what.startswith('one + two takes 10 segments (GSM-7) as an SMS in "en"')


# Ten at once -------------------------------------------------------------------------------------

TEN_FAULTS = """\
key = "care"
title = "With ten faults"
revision = 1

[[milestones]]
id = "no-heat"
kind = "restriction"
topics = ["heat"]
after = "0m"
holds = "48h"
quiet = "ignore"

[[milestones]]
id = "heat-again"
kind = "release"
topics = ["heat"]
day = 2
at = "10:00"
expires = "2d"

[[milestones]]
id = "no-shower"
kind = "restriction"
topics = ["shower"]
after = "0m"
holds = "12h"
quiet = "ignore"

[[milestones]]
id = "exercise-again"
kind = "release"
topics = ["exercise"]
after = "48h"
expires = "2d"

[[milestones]]
id = "sauna"
kind = "routine"
topics = ["heat"]
days = [1, 4]
at = "12:00"
expires = "8h"
template = "spf"

[[milestones]]
id = "bruising"
kind = "inform"
topics = ["bruising"]
day = 1
at = "22:30"
expires = "4h"

[[milestones]]
id = "ice"
kind = "inform"
topics = ["swelling"]
after = "12h"
expires = "1h"

[[milestones]]
id = "rest"
kind = "inform"
topics = ["hydration"]
day = 4
at = "12:30"
expires = "8h"

[[milestones]]
id = "spring-offer"
kind = "inform"
topics = ["news"]
day = 4
at = "15:00"
expires = "8h"

[[milestones]]
id = "how-are-you"
kind = "check"
topics = ["check-in"]
day = 4
at = "18:00"
expires = "8h"
"""


def test_ten_planted_faults_are_all_found_each_at_its_line(tmp_path: Path) -> None:
    path = tmp_path / "care.toml"
    path.write_text(TEN_FAULTS, encoding="utf-8")
    offer = text(tmp_path, "spring-offer", "{{ patient.given_name }}: our special offer!")
    check = text(
        tmp_path, "how-are-you", "Reply YES if you are well; else {{ clinic.phone }}, 112."
    )
    found = [
        (each.file, each.line, each.severity.value, each.what)
        for each in examined(path)
        if each.severity is not HINT
    ]
    milestones = [each for each in found if each[0] == str(path)]
    expected = [
        (13, "warning", "a session between 10:01 and 23:59 never gets it: no-heat still"),
        (21, "warning", "nobody tells the patient when it is over"),
        (29, "warning", "gives an all-clear for exercise, which no restriction forbids"),
        (36, "warning", "a session at any time of day (day 1) and between 12:01 and 23:59 (day 2)"),
        (36, "warning", "4 messages on one date, day 4, after a session on 12 July 2026 at 00:00"),
        (45, "error", "no session ever gets it: quiet hours (21:00-08:00) put it off"),
        (53, "warning", "a session between 09:00 and 19:00 never gets it: quiet hours"),
        (76, "warning", "there is no text in ar, de, es, fr, pt for how-are-you, spring-offer"),
    ]
    assert [each[1:3] for each in milestones] == [each[:2] for each in expected]
    for each, (_, _, what) in zip(milestones, expected, strict=True):
        assert each[3].startswith(what)
    assert {
        (Path(each[0]).name, each[2], each[3][:24]) for each in found if each not in milestones
    } == {
        (offer.name, "error", '"special offer" reads li'),
        (check.name, "warning", "asks for the reply YES, "),
    }
