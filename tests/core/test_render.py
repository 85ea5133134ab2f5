"""What never becomes markup, and what several lines make as one message."""

from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest

from reminderd.errors import TemplateFailed
from reminderd.model import Channel, Kind, Milestone, OnDays
from reminderd.sample import AWKWARD_NAMES, PATIENT
from tests.core.pages import AT, BUNDLE, compose, item, page, write


@pytest.mark.parametrize("channel", list(Channel))
def test_a_phone_number_is_not_reversed_by_right_to_left_text(
    folder: Path, channel: Channel
) -> None:
    text = "رقمنا {{ clinic.phone }}. {{ clinic.name }}"
    write(folder, ar__care=page(sms=text, email=text), en__care=page(sms=text, email=text))
    arabic = compose(folder, channel=channel, patient=replace(PATIENT, language="ar")).text
    assert arabic == "رقمنا \u200e+34 910 000 000\u200f. Alba Skin Clinic"
    assert "\u200e" not in compose(folder, channel=channel).text


# What a value may never become --------------------------------------------------------------------


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


# Text messages and bundles ------------------------------------------------------------------------


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
