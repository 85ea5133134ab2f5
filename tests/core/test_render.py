"""Which words a patient gets: language, zone, bundle; and what never becomes markup."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from reminderd.errors import TemplateFailed
from reminderd.model import Channel, Clinic, Kind, Milestone, OnDays, Patient, Session
from reminderd.proofread import check
from reminderd.render import Composed, Item, Renderer
from reminderd.sample import AWKWARD_NAMES, CLINIC, LONGEST_NAME, PATIENT, item_of
from reminderd.texts import Texts, language_chain, normal_tag

AT = datetime(2026, 3, 28, 13, 30, tzinfo=UTC)  # a Saturday, 14:30 in Madrid
BUNDLE = """\
{% block sms %}
{{ patient.given_name }}:{% for line in lines %} {{ line.text }}{% endfor %}{% endblock %}
{% block subject %}Several{% endblock %}
{% block email %}
{% for line in lines %}
- {{ line.text }}
{% endfor %}
{% endblock %}
"""


def page(
    line: str = "One line.", sms: str = "Text.", subject: str = "Subject", email: str = "Mail."
) -> str:
    blocks = {"line": line, "sms": sms, "subject": subject, "email": email}
    return "".join(f"{{% block {name} %}}{text}{{% endblock %}}\n" for name, text in blocks.items())


def write(folder: Path, **templates: str) -> Path:
    """`write(folder, en__care=…)` writes `folder/en/care.j2`."""
    for key, text in templates.items():
        language, name = key.split("__")
        path = folder / language / f"{name}.j2"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def item(template: str = "care", reminder_id: int = 7, **known: object) -> Item:
    made = item_of(template)
    session = Session(1, "sample", 1, AT, AT, id=1, area="face")
    bare = replace(made, day=None, days=None, until=None, next_at=None, session=session)
    return replace(bare, reminder=made.reminder._replace(id=reminder_id), **known)  # type: ignore[arg-type]


def compose(
    folder: Path,
    items: Sequence[Item] | None = None,
    channel: Channel = Channel.SMS,
    patient: Patient = PATIENT,
    clinic: Clinic = CLINIC,
) -> Composed:
    return Renderer([folder]).compose(items or [item()], patient, clinic, channel)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "templates"


# Language, zone, locale ------------------------------------------------------------------------


def test_the_language_is_the_patients_with_region_then_without_then_the_clinics_then_english() -> (
    None
):
    assert language_chain("pt-br", "es_MX") == ("pt_BR", "pt", "es_MX", "es", "en")
    assert language_chain(None, "en") == ("en",)
    assert normal_tag("zh-hant-tw") == "zh_Hant_TW"


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (["pt_BR", "pt", "es", "en"], "pt_BR"),
        (["pt", "es", "en"], "pt"),
        (["es", "en"], "es"),
        (["en", "fr"], "en"),
    ],
)
def test_a_message_is_in_the_first_language_there_is(
    folder: Path, there: list[str], chosen: str
) -> None:
    for language in there:
        write(folder, **{f"{language}__care": page(sms=language)})
    patient = replace(PATIENT, language="pt-BR")
    composed = compose(folder, patient=patient, clinic=replace(CLINIC, language="es"))
    assert (composed.language, composed.text) == (chosen, chosen)


def test_a_bundle_is_in_one_language_that_has_all_of_it(folder: Path) -> None:
    write(folder, es__care=page(), es___bundle=BUNDLE)
    write(folder, en__care=page("Care."), en__rest=page("Rest."), en___bundle=BUNDLE)
    patient = replace(PATIENT, language="es")
    assert compose(folder, [item(), item("rest")], patient=patient).text == "Marina: Care. Rest."
    assert compose(folder, [item()], patient=patient).language == "es"


@pytest.mark.parametrize(
    ("language", "country", "zone", "told"),
    [
        ("en", "ES", "Europe/Madrid", "Saturday 28 March|14:30|Saturday 28 March at 14:30"),
        ("en", "GR", "Europe/Athens", "Saturday 28 March|15:30|Saturday 28 March at 15:30"),
        (
            "en",
            "US",
            "America/New_York",
            "Saturday, March 28|9:30 AM|Saturday, March 28 at 9:30 AM",
        ),
        (
            "en-US",
            "ES",
            "Europe/Madrid",
            "Saturday, March 28|2:30 PM|Saturday, March 28 at 2:30 PM",
        ),
        ("en", "ES", "Asia/Tokyo", "Saturday 28 March|22:30|Saturday 28 March at 22:30"),
        ("en", "ES", "Pacific/Auckland", "Sunday 29 March|02:30|Sunday 29 March at 02:30"),
    ],
)
def test_dates_are_told_in_the_patients_zone_and_habit(
    folder: Path, language: str, country: str, zone: str, told: str
) -> None:
    words = "{{ session.at|date }}|{{ session.at|time }}|{{ session.at|datetime }}"
    write(folder, en__care=page(sms=words))
    patient = replace(PATIENT, language=language, timezone=zone)
    composed = compose(folder, patient=patient, clinic=replace(CLINIC, country=country))
    assert composed.text == told
    assert composed.size is not None
    assert composed.size.encoding == "GSM-7"


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        (0, "sábado 28 de marzo a las 14:30"),
        (11, "domingo 29 de marzo a la 1:30"),
        (-3, "sábado 28 de marzo a las 11:30"),
    ],
)
def test_spanish_dates_read_like_spanish(folder: Path, hours: int, told: str) -> None:
    write(folder, es__care=page(sms="hasta el {{ until | datetime }}"))
    until = AT + timedelta(hours=hours)
    composed = compose(folder, [item(until=until)], patient=replace(PATIENT, language="es"))
    assert composed.text == f"hasta el {told}"


@pytest.mark.parametrize(
    ("country", "hours", "told"),
    [
        ("FR", 0, "samedi 28 mars à 14 h 30"),
        ("FR", 11, "dimanche 29 mars à 1 h 30"),
        ("CA", 24 * 4 - 6, "mercredi 1er avril à 9 h 30"),
        ("CH", 24 * 14, "samedi 11 avril à 15 h 30"),
    ],
)
def test_french_dates_read_like_french_and_cost_no_more(
    folder: Path, country: str, hours: int, told: str
) -> None:
    write(folder, fr__care=page(sms="jusqu'au {{ until | datetime }}"))
    patient, clinic = replace(PATIENT, language="fr"), replace(CLINIC, country=country)
    until = AT + timedelta(hours=hours)
    composed = compose(folder, [item(until=until)], patient=patient, clinic=clinic)
    assert composed.text == f"jusqu'au {told}"
    assert composed.size is not None
    assert composed.size.encoding == "GSM-7"


@pytest.mark.parametrize(
    ("language", "country", "hours", "told"),
    [
        ("ar", "ES", 0, "السبت 28 مارس الساعة 14:30"),
        ("ar", "ES", 11, "الأحد 29 مارس الساعة 01:30"),
        ("ar", "ES", -14, "السبت 28 مارس الساعة 00:30"),
        ("ar", "MA", 24 * 126, "السبت 1 غشت الساعة 15:30"),
        ("ar", "LB", 24 * 35, "السبت 2 أيار الساعة 3:30 م"),
        ("ar-EG", "ES", 0, "السبت 28 مارس الساعة 2:30 م"),
    ],
)
def test_arabic_dates_read_like_arabic_in_the_digits_of_phone_numbers(
    folder: Path, language: str, country: str, hours: int, told: str
) -> None:
    write(folder, ar__care=page(sms="حتى يوم {{ until | datetime }}"))
    patient, clinic = replace(PATIENT, language=language), replace(CLINIC, country=country)
    until = AT + timedelta(hours=hours)
    composed = compose(folder, [item(until=until)], patient=patient, clinic=clinic)
    assert composed.text == f"حتى يوم {told}"


@pytest.mark.parametrize("channel", list(Channel))
def test_a_phone_number_is_not_reversed_by_right_to_left_text(
    folder: Path, channel: Channel
) -> None:
    text = "رقمنا {{ clinic.phone }}. {{ clinic.name }}"
    write(folder, ar__care=page(sms=text, email=text), en__care=page(sms=text, email=text))
    arabic = compose(folder, channel=channel, patient=replace(PATIENT, language="ar")).text
    assert arabic == "رقمنا \u200e+34 910 000 000\u200f. Alba Skin Clinic"
    assert "\u200e" not in compose(folder, channel=channel).text


@pytest.mark.parametrize(
    ("language", "country", "hours", "told"),
    [
        ("pt", "PT", 0, "sábado, 28 de março, às 14:30"),
        ("pt", "BR", 24 * 2, "segunda-feira, 30 de março, às 15:30"),
        ("pt-BR", "ES", 24 * 4, "quarta-feira, 1 de abril, às 15:30"),
        ("pt", "ES", 11, "domingo, 29 de março, à 01:30"),
        ("pt", "ES", -3, "sábado, 28 de março, às 11:30"),
    ],
)
def test_portuguese_dates_read_like_portuguese(
    folder: Path, language: str, country: str, hours: int, told: str
) -> None:
    write(folder, pt__care=page(sms="até {{ until | datetime }}"))
    patient, clinic = replace(PATIENT, language=language), replace(CLINIC, country=country)
    until = AT + timedelta(hours=hours)
    composed = compose(folder, [item(until=until)], patient=patient, clinic=clinic)
    assert composed.text == f"até {told}"


@pytest.mark.parametrize(
    ("country", "hours", "told"),
    [
        ("DE", 0, "Samstag, 28. März, 14:30 Uhr"),
        ("CH", 12, "Sonntag, 29. März, 3:30 Uhr"),
        ("AT", 24 * 4, "Mittwoch, 1. April, 15:30 Uhr"),
        ("AT", 24 * 300, "Freitag, 22. Jänner, 14:30 Uhr"),
        ("US", 0, "Samstag, 28. März, 14:30 Uhr"),
    ],
)
def test_german_dates_read_like_german(folder: Path, country: str, hours: int, told: str) -> None:
    write(folder, de__care=page(sms="Bitte bis {{ until | datetime }}:"))
    patient, clinic = replace(PATIENT, language="de"), replace(CLINIC, country=country)
    until = AT + timedelta(hours=hours)
    composed = compose(folder, [item(until=until)], patient=patient, clinic=clinic)
    assert composed.text == f"Bitte bis {told}:"


def test_a_language_that_no_locale_knows_still_gets_its_dates(folder: Path) -> None:
    write(folder, tlh__care=page(sms="{{ session.at|datetime }}"))
    assert compose(folder, patient=replace(PATIENT, language="tlh")).text.endswith("14:30")


# What a value may never become -----------------------------------------------------------------


@pytest.mark.parametrize("name", [*AWKWARD_NAMES, "\ue0000\ue001", "# x", "1. x", "&amp;"])
def test_a_name_is_shown_as_typed_and_never_becomes_markup(folder: Path, name: str) -> None:
    write(folder, en__care=page(email="Hello {{ patient.given_name }},\n\n**bold** *{{ day }}*"))
    patient = replace(PATIENT, given_name=name)
    composed = compose(folder, [item(day=2)], Channel.EMAIL, patient)
    shown = name.replace("\ue000", "").replace("\ue001", "")
    assert composed.text == f"Hello {shown},\n\n**bold** *2*"
    assert composed.html is not None
    body = composed.html.partition("<main")[2]
    escaped = (
        shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#x27;")
    )
    assert escaped in body
    assert "<strong>bold</strong> <em>2</em>" in body
    for forbidden in ("<b>", "<a ", "<code>", "<h1>", "<ol>"):
        assert forbidden not in body


def test_html_in_a_template_is_not_passed_on(folder: Path) -> None:
    write(folder, en__care=page(email="<script>x</script>"))
    html = compose(folder, channel=Channel.EMAIL).html
    assert html is not None
    assert "<script" not in html


def test_a_subject_is_one_line_whatever_the_template_and_the_name_hold(folder: Path) -> None:
    write(folder, en__care=page(subject="\n  For {{ patient.given_name }}\n today\n"))
    patient = replace(PATIENT, given_name="A\r\nBcc: b@example.org\u2028x")
    composed = compose(folder, channel=Channel.EMAIL, patient=patient)
    assert composed.subject == "For A Bcc: b@example.org x today"


def test_a_variable_inside_the_address_of_a_link_is_refused(folder: Path) -> None:
    write(folder, en__care=page(email="[call](tel:{{ clinic.phone }})"))
    with pytest.raises(TemplateFailed, match="inside the address of a link"):
        compose(folder, channel=Channel.EMAIL)


def test_the_mail_says_its_language_and_direction(folder: Path) -> None:
    write(folder, ar__care=page(email="{{ clinic.phone }}"), pt_BR__care=page())
    arabic = compose(folder, channel=Channel.EMAIL, patient=replace(PATIENT, language="ar")).html
    assert arabic is not None
    assert '<html lang="ar" dir="rtl">' in arabic
    assert '<main lang="ar" dir="rtl"' in arabic, "web mail keeps no more than the body's inside"
    assert "<bdi>\u200e+34 910 000 000\u200f</bdi>" in arabic
    brazil = compose(folder, channel=Channel.EMAIL, patient=replace(PATIENT, language="pt_BR")).html
    assert brazil is not None
    assert '<html lang="pt-BR" dir="ltr">' in brazil


# Text messages and bundles ---------------------------------------------------------------------


def test_an_sms_is_normalised_and_counted(folder: Path) -> None:
    write(folder, en__care=page(sms="\nIt\u2019s\n  time\u2026\n\n\n- one\n- two\n"))
    composed = compose(folder)
    assert composed.text == "It's time...\n- one - two"
    assert composed.size is not None
    assert (composed.size.encoding, composed.size.units) == ("GSM-7", 24)


def test_a_bundle_knows_the_kind_the_text_and_the_end_of_every_line(folder: Path) -> None:
    bundle = BUNDLE.replace(
        "{{ line.text }}{% endfor %}{% endblock %}",
        "{{ line.kind }}/{{ line.text }}/{% if line.until %}{{ line.until|time }}{% endif %}"
        "{% endfor %}{% endblock %}",
        1,
    )
    write(folder, en__care=page("Care {{ day }}."), en___bundle=bundle)
    kept = replace(item(until=AT, day=1), milestone=milestone("care", Kind.RESTRICTION))
    assert compose(folder, [kept, item(day=2)]).text == (
        "Marina: restriction/Care 1./14:30 inform/Care 2./"
    )


def milestone(template: str, kind: Kind) -> Milestone:
    return Milestone("m", kind, frozenset({"care"}), OnDays(1, 1, time(10)), template)


def test_of_restrictions_for_two_sessions_only_the_longest_is_said(folder: Path) -> None:
    write(folder, en__care=page("No shower."), en__rest=page("Rest."), en___bundle=BUNDLE)
    dry = replace(item(until=AT), milestone=milestone("care", Kind.RESTRICTION))
    longer = replace(dry, until=AT + timedelta(hours=2))
    told = compose(folder, [dry, longer, item("rest")]).text
    assert told.count("No shower.") == 1
    assert compose(folder, [dry, longer]).text == "Text.", "one restriction is left: no bundle"


def test_what_two_sessions_say_alike_is_said_once(folder: Path) -> None:
    write(folder, en__care=page("All clear."), en__rest=page("Rest."), en___bundle=BUNDLE)
    twice = [item("care", 1), item("care", 2), item("rest", 3)]
    assert compose(folder, twice).text.count("All clear.") == 1
    assert compose(folder, twice[:2]).text == "Text."


# Mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sms", "says"),
    [
        ("{{ patient.family_name }}", "family_name"),
        ("{{ nobody }}", "nobody"),
        ("{{ range(3) }}", "range"),
        ("{{ until }}", "no value here"),
        ("{{ session.at }}", "through a filter"),
        ("{{ until | date }}", "expected an instant"),
        ("{{ patient }}", "name one of its parts"),
        ("{{ session.at._local }}", "_local"),
        ("{{ patient.__class__ }}", "unsafe"),
        ("{{ 1 / 0 }}", "division"),
        ("  \n ", "empty"),
        ("{{ day", "end of"),
        ("{{ day | shout }}", "shout"),
    ],
)
def test_a_template_that_fails_names_its_file_line_and_reminder(
    folder: Path, sms: str, says: str
) -> None:
    write(folder, en__care=page(sms=sms))
    with pytest.raises(TemplateFailed, match=says) as failed:
        compose(folder, [item(reminder_id=42)])
    assert failed.value.reminder_id == 42
    assert f"{folder / 'en' / 'care.j2'}:" in failed.value.message
    assert failed.value.remedy is not None


def test_the_line_of_a_mistake_is_the_templates_own(folder: Path) -> None:
    write(folder, en__care=page(sms="\n\nHello\n{{ patient.age }}\n"))
    with pytest.raises(TemplateFailed, match=r"care\.j2:5: en/care, block sms: .*age"):
        compose(folder)


def test_in_a_bundle_the_reminder_to_blame_is_named(folder: Path) -> None:
    write(folder, en__care=page(), en__bad=page(line="{{ oops }}"), en___bundle=BUNDLE)
    with pytest.raises(TemplateFailed) as failed:
        compose(folder, [item("care", 1), item("bad", 2)])
    assert failed.value.reminder_id == 2


def test_a_template_that_is_nowhere_is_missed_by_name(folder: Path) -> None:
    write(folder, en__care=page(), en___bundle=BUNDLE)
    with pytest.raises(TemplateFailed, match='no template "gone" in en') as failed:
        compose(folder, [item("care", 1), item("gone", 2)])
    assert failed.value.reminder_id == 2


def test_a_missing_bundle_blames_no_reminder(folder: Path) -> None:
    write(folder, en__care=page())
    with pytest.raises(TemplateFailed, match="_bundle") as failed:
        compose(folder, [item("care", 1), item("care", 2)])
    assert failed.value.reminder_id is None


def test_check_reports_every_mistake_of_every_file_at_once(folder: Path) -> None:
    write(folder, en___bundle=BUNDLE, en__care=page(), es__care=page(sms="\n{{ nobody }}"))
    write(
        folder,
        en__names="{% if day %}\n{{ patient.age }}{% endif %}" + page(line="{{ one }} {{ two }}"),
        en__broken="{% block sms %}",
        en__part="{% block sms %}x{% endblock %}",
        en__other="{% include 'care' %}" + page(),
        en__long="{# long #}\n" + page(sms="word " * 140),
        en__blank=page(subject=" "),
    )
    found = check(Renderer([folder]), [])

    def said(name: str) -> list[str]:
        return [fault.partition(".j2:")[2] for fault in found if f"/{name}.j2:" in fault]

    assert [fault.split(" is not")[0] for fault in said("names")] == [
        "2: one",
        "2: patient has no age; it has given_name",
        "2: two",
    ]
    assert [fault[:2] for fault in said("broken")] == ["1:"]
    assert said("part") == [
        f"1: the block {name} is missing" for name in ("email", "line", "subject")
    ]
    assert said("other") == ["1: a template stands alone and cannot use another file"]
    assert said("long") == [
        f"3: warning: the SMS takes 5 segments (GSM-7) to {LONGEST_NAME}; 4 are plenty"
    ]
    assert said("blank") == ["1: en/blank, block subject: the block is empty"]
    assert [fault[:10] for fault in said("care")] == ["3: nobody "]
    assert said("_bundle") == []


# Files -----------------------------------------------------------------------------------------


def test_the_sites_file_wins_over_the_packaged_one(tmp_path: Path) -> None:
    ours = write(tmp_path / "ours", en__care=page(sms="Ours"), en__rest=page(sms="Rest"))
    site = write(tmp_path / "site", en__care=page(sms="Site"))
    renderer = Renderer([site, ours])
    assert renderer.compose([item()], PATIENT, CLINIC, Channel.SMS).text == "Site"
    assert renderer.compose([item("rest")], PATIENT, CLINIC, Channel.SMS).text == "Rest"
    assert [
        (text.name, text.path.parent.parent.name) for text in renderer.texts.list_templates()
    ] == [
        ("care", "site"),
        ("rest", "ours"),
    ]


def test_a_folder_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    ours = write(tmp_path / "ours", en__care=page())
    assert Renderer([tmp_path / "nowhere", ours]).texts.languages() == ("en",)


def test_the_digest_covers_every_language_and_the_bundle_and_nothing_else(folder: Path) -> None:
    write(folder, en__care=page(), es__care=page(), en__rest=page(), en___bundle=BUNDLE)
    before = Texts([folder]).digest(["care"])
    write(folder, en__rest=page("Else."))
    assert Texts([folder]).digest(["care"]) == before
    for change in ("en__care", "es__care", "en___bundle", "fr__care"):
        write(folder, **{change: page("Changed.")})
        after = Texts([folder]).digest(["care"])
        assert after != before
        before = after


def test_what_was_read_stays_until_the_next_reload(folder: Path) -> None:
    write(folder, en__care=page(sms="Before"))
    renderer = Renderer([folder])
    write(folder, en__care=page(sms="After"))
    assert renderer.compose([item()], PATIENT, CLINIC, Channel.SMS).text == "Before"
