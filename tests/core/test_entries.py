"""What people type is read kindly, and every mistake is named with its remedy."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminderd.entries import (
    Fault,
    read_area,
    read_channels,
    read_email,
    read_instant,
    read_language,
    read_name,
    read_patient,
    read_phone,
    read_ref,
    read_screening,
    read_session_at,
    read_tags,
    read_timezone,
)
from reminderd.model import Channel, Clinic, Consent, Patient, QuietHours, Screening

NOW = datetime(2026, 3, 20, 8, tzinfo=UTC)
ALBA = Clinic(
    "main", "Alba", "+34910000000", "Europe/Madrid", "ES", "en", QuietHours.parse("21:00-08:00")
)
LUA = Clinic(
    "lua", "Lua", "+351210000000", "Europe/Lisbon", "PT", "pt", QuietHours.parse("21:00-08:00")
)
BOTH = {"main": ALBA, "lua": LUA}


def patient(separator: str = ";", **raw: str) -> Patient:
    read, faults = read_patient({"given_name": "Leni", **raw}, BOTH, NOW, "desk", separator)
    assert faults == []
    assert read is not None
    return read


def faults(**raw: str) -> list[Fault]:
    read, found = read_patient({"given_name": "Leni", **raw}, BOTH, NOW, "desk")
    assert (read is None) == bool(found)
    return found


def fields(**raw: str) -> list[str]:
    return [each.field for each in faults(**raw)]


def test_a_given_name_is_enough_for_a_patient() -> None:
    assert patient() == Patient(clinic="main", given_name="Leni")


def test_all_of_a_patient_is_read_at_once() -> None:
    assert patient(
        ref="A-1", family_name=" Stiffel ", phone=" 612 34 56 78 ", email="leni@example.org",
        timezone="Atlantic/Canary", language="pt-br", channels="email;sms", consent="sms",
        clinic="main", screening="pregnancy;eczema",
    ) == Patient(
        clinic="main", given_name="Leni", family_name="Stiffel", ref="A-1", phone="+34612345678",
        email="leni@example.org", timezone="Atlantic/Canary", language="pt_BR",
        channels=(Channel.EMAIL, Channel.SMS), consent={Channel.SMS: Consent(True, NOW, "desk")},
        screening=frozenset({Screening.ECZEMA, Screening.PREGNANCY}),
    )  # fmt: skip


def test_every_fault_of_a_patient_is_named_at_once() -> None:
    wrong = fields(
        given_name=" ", family_name="=?x?=", ref="pat-3", phone="12", email="leni@",
        timezone="Mars/Olympus", language="xx", channels="pigeon", consent="telex",
        clinic="nowhere", screening="measles",
    )  # fmt: skip
    assert sorted(wrong) == [
        "channels", "clinic", "consent", "email", "family_name", "given_name", "language",
        "ref", "screening", "timezone",
    ]  # fmt: skip


def test_a_number_without_country_code_is_not_judged_where_the_clinic_is_unknown() -> None:
    assert fields(clinic="nowhere", phone="612 345 678") == ["clinic"]
    assert fields(clinic="nowhere", phone="+34 12") == ["clinic", "phone"]


def test_the_clinic_is_the_only_one_or_main() -> None:
    only, _ = read_patient({"given_name": "Leni"}, {"lua": LUA}, NOW, "desk")
    assert only is not None
    assert only.clinic == "lua"
    assert patient().clinic == "main"
    nobody, found = read_patient({"given_name": "Leni"}, {"lua": LUA, "sol": ALBA}, NOW, "desk")
    assert nobody is None
    assert found == [Fault("clinic", "is missing; write one of lua, sol")]


def test_a_mistyped_clinic_is_answered_with_the_one_that_was_meant() -> None:
    assert faults(clinic="mian") == [
        Fault("clinic", '"mian" is not a clinic; did you mean "main"?')
    ]


def test_a_number_is_read_as_dialled_where_the_clinic_is() -> None:
    assert patient(phone="912 345 678", clinic="lua").phone == "+351912345678"


def test_a_fixed_line_is_taken_only_where_no_text_shall_go_there() -> None:
    assert patient(phone="+34 910 000 000", channels="email").phone == "+34910000000"
    assert fields(phone="+34 910 000 000", channels="sms") == ["phone"]
    assert fields(phone="+34 910 000 000") == ["phone"]


def test_a_channel_without_an_address_is_no_fault() -> None:
    assert patient(channels="sms", consent="sms;email").phone is None


def test_on_the_command_line_commas_stand_between_channels() -> None:
    typed = patient(",", channels="email,sms", consent="sms,email")
    assert typed.channels == (Channel.EMAIL, Channel.SMS)
    assert set(typed.consent) == set(Channel)


@pytest.mark.parametrize(
    "name",
    [
        "Ana", "O'Connor", "Eva María", "दिनेश", "Αντιγόνη", "قيس عيلان", "<b>Lea</b>", "李",
        "x" * 100,
    ],
)  # fmt: skip
def test_a_name_may_be_in_any_script(name: str) -> None:
    assert patient(given_name=f" {name} ").given_name == name


def test_a_name_is_kept_in_its_composed_form() -> None:
    assert patient(given_name="Jose\u0301").given_name == "Jos\u00e9"


@pytest.mark.parametrize(
    "name",
    [
        "Ana\nBcc: x@example.org", "Ana\rLea", "A\x00na", "A\x1bna", "A\x85na", "A\u2028na",
        "A\u202ena", "A\udc80na", "=?utf-8?q?hi?=", "x" * 101, "12", "\u200b",
    ],
)  # fmt: skip
def test_a_name_that_could_do_harm_or_is_none_is_refused(name: str) -> None:
    assert fields(given_name=name) == ["given_name"]
    assert fields(family_name=name) == ["family_name"]


@pytest.mark.parametrize(
    "ref",
    ["A 1", "A-1 ", " A-1", "A\u00a01", "A\t1", "A\x00", "x" * 65, "pat-12", "ses-1", "rem-7"],
)
def test_a_ref_is_one_word_and_none_of_our_ids(ref: str) -> None:
    assert fields(ref=ref) == ["ref"]


@pytest.mark.parametrize("ref", ["A-00001", "pat-", "pat-0", "12", "ÄÖ/7", "x" * 64])
def test_a_clinic_s_own_keys_are_kept_as_they_are(ref: str) -> None:
    assert patient(ref=ref).ref == ref


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("612 345 678", "+34612345678"),
        ("0034 612-345-678", "+34612345678"),
        ("+34\u00a0612\u2011345\u2011678", "+34612345678"),
        ("+33 6.12.31.50.67", "+33612315067"),
        ("+44 (0)7400 123456", "+447400123456"),
        ("+1 (201) 555-6600", "+12015556600"),
        ("+٩٧١٥٠١٢٢٢٦١٩", "+971501222619"),
    ],
)
def test_a_mobile_is_read_however_people_write_it(text: str, number: str) -> None:
    assert read_phone(text, "ES", True) == number


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("12", "too short"),
        ("+34 612 345", "too short"),
        ("+34 612 345 678 612 345 679", "too long|not a phone number"),
        ("+34 112 345 678", "nobody can have"),
        ("+34 600 00 00 0x", 'holds "x"'),
        ("612 345 678 o 679", 'holds "o"'),
        ("1-800-FLOWERS", 'holds "F"'),
        ("+34910000000;ext=5", 'holds ";"'),
        ("tel:+34612345678", 'holds "t"'),
        ("612345678, 612345679", 'holds ","'),
        ("612345678/79", 'holds "/"'),
        ("+34612345678+34612345679", r'holds "\+"'),
        ("+", "not a phone number"),
        ("+999 612 345 678", "not a phone number"),
        ("+1 900 555 0100", "premium-rate"),
        ("+34 803 123 456", "premium-rate"),
        ("+34 901 123 456", "shared-cost"),
        ("+44 7640 123456", "pager"),
        ("+49 177 99 1234567", "mailbox"),
        ("+44 5512 345678", "access number"),
    ],
)
def test_what_is_not_one_phone_of_one_person_is_refused(text: str, why: str) -> None:
    for for_sms in (True, False):
        with pytest.raises(ValueError, match=why):
            read_phone(text, "ES", for_sms)


@pytest.mark.parametrize("text", ["+34 910 000 000", "+34 900 123 456"])
def test_an_sms_wants_a_mobile(text: str) -> None:
    assert read_phone(text, "ES", False)
    with pytest.raises(ValueError, match=r'not a mobile.*"email"'):
        read_phone(text, "ES", True)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ana@example.org", "ana@example.org"),
        ("Ana.B+care@EXAMPLE.org", "Ana.B+care@example.org"),
        ("josé@éxample.org", "josé@éxample.org"),
        ("ana@xn--xample-9ua.org", "ana@éxample.org"),
    ],
)
def test_an_address_is_taken_in_any_script(text: str, address: str) -> None:
    assert read_email(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "ana", "ana@", "@example.org", "ana@example", "a b@example.org", "ana@[192.0.2.1]",
        "Ana <ana@example.org>", "<ana@example.org>", "a@example.org,b@example.org",
        "<a@example.org>, <b@example.org>", f"{'a' * 65}@example.org",
        f"ana@{'long.' * 50}example.org", '"ana b"@example.org', "ana@localhost",
    ],
)  # fmt: skip
def test_what_is_not_exactly_one_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not one email address: .* write it alone"):
        read_email(text)


@pytest.mark.parametrize(
    "text", ["ana@exa\x00mple.org", "ana\n@example.org", "a\u202e@example.org"]
)
def test_an_address_with_control_characters_is_refused(text: str) -> None:
    assert fields(email=text) == ["email"]


def test_what_calls_for_caution_is_read_in_any_order_and_case_and_counts_once() -> None:
    assert read_screening(" Pregnancy ; eczema;; ECZEMA") == {
        Screening.ECZEMA,
        Screening.PREGNANCY,
    }
    assert read_screening(",".join(Screening), ",") == set(Screening)
    assert patient(screening=" ").screening == frozenset()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("psoriassis", '"psoriassis" is not a screening word; did you mean "psoriasis"?'),
        ("clotting disorder", 'did you mean "clotting-disorder"?'),
        ("measles", "known are breastfeeding, clotting-disorder, eczema, pregnancy, psoriasis"),
        ("eczma;pregnancy;breastfeding", '"eczma" is not a screening word; did you mean "eczema"'),
        ("eczma;pregnancy;breastfeding", 'did you mean "breastfeeding"?'),
        (";", '";" names nothing; write one of eczema, psoriasis,'),
    ],
)
def test_every_word_of_caution_that_nobody_knows_is_answered(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        read_screening(text)


@pytest.mark.parametrize("name", ["Europe/Madrid", "America/Argentina/Salta", "UTC"])
def test_a_zone_of_the_database_is_taken(name: str) -> None:
    assert read_timezone(name) == name


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Europe/Madird", 'did you mean "Europe/Madrid"'),
        ("europe/madrid", 'did you mean "Europe/Madrid"'),
        ("CEST", 'write for example "Europe/Madrid"'),
        ("+01:00", 'write for example "Europe/Madrid"'),
        ("Europe", 'write for example|did you mean "Europe/'),
        ("../zones", 'write for example "Europe/Madrid"'),
        ("Europe/__init__/x", "is not a time zone"),
    ],
)
def test_a_zone_that_does_not_exist_is_answered_with_one_that_does(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        read_timezone(text)


@pytest.mark.parametrize(
    ("text", "language"),
    [("es", "es"), ("EN", "en"), ("pt_BR", "pt_BR"), ("pt-br", "pt_BR"), ("zh-hant", "zh_Hant")],
)
def test_a_language_is_kept_in_one_spelling(text: str, language: str) -> None:
    assert read_language(text) == language


@pytest.mark.parametrize(
    "text", ["xx", "english", "en_", "e", "en.UTF-8", "de_DE@euro", "../es", "en_XX"]
)
def test_a_language_that_nobody_knows_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a language; write for example"):
        read_language(text)


@pytest.mark.parametrize(
    ("text", "separator", "channels"),
    [
        ("sms", ";", [Channel.SMS]),
        ("email; sms", ";", [Channel.EMAIL, Channel.SMS]),
        ("SMS;Email;", ";", [Channel.SMS, Channel.EMAIL]),
        ("email,sms", ",", [Channel.EMAIL, Channel.SMS]),
    ],
)
def test_channels_keep_their_order(text: str, separator: str, channels: list[Channel]) -> None:
    assert list(read_channels(text, separator)) == channels


@pytest.mark.parametrize(
    ("text", "separator", "why"),
    [
        ("sms|email", ";", 'write "sms;email"'),
        ("email,sms", ";", 'write "email;sms"'),
        ("sms email", ";", 'write "sms;email"'),
        ("sms;email", ",", 'write "sms,email"'),
        ("sms;sms", ";", "names a channel twice"),
        ("sms;pigeon", ";", '"pigeon" is not a channel; known are email, sms'),
        ("e-mail", ";", 'did you mean "email"'),
        (";", ";", "names no channel"),
        ("|", ";", '"|" is not a channel'),
    ],
)
def test_a_channel_that_does_not_exist_is_refused(text: str, separator: str, why: str) -> None:
    with pytest.raises(ValueError, match=f".*{why.replace('|', '[|]')}"):
        read_channels(text, separator)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-28T14:30", "2026-03-28T13:30Z"),
        ("2026-03-28 14:30:15", "2026-03-28T13:30:15Z"),
        ("2026-03-28T14:30:15.5Z", "2026-03-28T14:30:15.5Z"),
        ("2026-03-28t14:30z", "2026-03-28T14:30Z"),
        ("2026-03-28 14:30+05:30", "2026-03-28T09:00Z"),
        ("2026-03-29T02:30", "2026-03-29T01:30Z"),  # skipped: half past three, an hour on
        ("2026-10-25T02:30", "2026-10-25T00:30Z"),  # twice: the first
    ],
)
def test_an_instant_is_read_in_the_zone_unless_it_says_its_own(text: str, instant: str) -> None:
    assert read_instant(text, "Europe/Madrid") == datetime.fromisoformat(instant)
    assert read_instant(text, "Europe/Madrid").utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-03-28", "has no time"),
        ("28/03/2026 14:30", "is not year-month-day and a time"),
        ("2026-3-28 14:30", "is not year-month-day and a time"),
        ("20260328T1430", "is not year-month-day and a time"),
        ("2026-W13-6T14:30", "is not year-month-day and a time"),
        ("2026-03-28T14", "is not year-month-day and a time"),
        ("2026-03-28T14:30+1", "is not year-month-day and a time"),
        ("tomorrow", "is not year-month-day and a time"),
        ("2026-02-30T10:00", "does not exist"),
        ("2026-03-28T25:00", "does not exist"),
        ("2026-03-28T14:30+25:00", "does not exist"),
        ("0001-01-01T00:00+14:00", "does not exist"),
        ("0001-01-01T00:00", "does not exist"),
    ],
)
def test_what_is_not_an_instant_is_answered_with_how_to_write_one(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f'{why}; write for example "2026-03-28T14:30"'):
        read_instant(text, "Asia/Kolkata")


def test_a_session_lies_at_most_a_year_past_and_two_years_ahead() -> None:
    def read(text: str) -> datetime:
        return read_session_at(text, "UTC", NOW)

    assert read("2025-03-20T08:00") == NOW.replace(year=2025)
    assert read("2028-03-20T08:00") == NOW.replace(year=2028)
    with pytest.raises(ValueError, match="more than a year past; check the year"):
        read("2025-03-20T07:59")
    with pytest.raises(ValueError, match="more than two years ahead; check the year"):
        read("2028-03-20T08:01")


def test_a_leap_day_has_a_year_before_and_two_years_after_it() -> None:
    leap = datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert read_session_at("2027-02-28T12:00", "UTC", leap) == datetime(2027, 2, 28, 12, tzinfo=UTC)
    with pytest.raises(ValueError, match="two years ahead"):
        read_session_at("2030-02-28T12:01", "UTC", leap)


def test_tags_are_words_in_small_letters() -> None:
    assert read_tags("weight-loss; vip2;") == {"weight-loss", "vip2"}
    with pytest.raises(ValueError, match=r'"Weight loss!" is not a tag.* write "weight-loss"'):
        read_tags("vip;Weight loss!")


def test_an_area_is_a_short_text() -> None:
    assert read_area("inner thighs") == "inner thighs"
    with pytest.raises(ValueError, match="has 101 characters; write at most 100"):
        read_area("x" * 101)


def test_a_message_shows_what_was_typed_on_one_short_line() -> None:
    (fault,) = faults(given_name="A\x1b[31m\r\n" + "a" * 5000)
    assert len(fault.message) < 200
    assert fault.message.isprintable()


READERS: list[Callable[[str], object]] = [
    read_name, read_ref, read_email, read_timezone, read_language, read_channels, read_tags,
    read_area, lambda text: read_phone(text, "ES", True),
    lambda text: read_session_at(text, "Europe/Madrid", NOW),
]  # fmt: skip
NEARLY = st.text(alphabet="+0123456789-T:. ;@abcEZ/_=?\x00\u0661\u202e") | st.text()


def answer(reader: Callable[[str], object], text: str) -> str | None:
    try:
        reader(text)
    except ValueError as error:
        return str(error) if type(error) is ValueError else ""
    return None


@given(text=NEARLY)
def test_whatever_is_typed_gets_a_value_or_an_answer(text: str) -> None:
    for reader in READERS:
        told = answer(reader, text)
        assert told is None or len(told) > 20


@given(
    raw=st.dictionaries(
        st.sampled_from([
            "ref", "given_name", "phone", "email", "timezone", "language", "channels", "clinic",
        ]),
        NEARLY,
    )
)  # fmt: skip
def test_a_patient_is_read_or_its_faults_are_told(raw: dict[str, str]) -> None:
    read, found = read_patient(raw, BOTH, NOW, "desk")
    assert (read is None) == bool(found)
    assert all(each.message.isprintable() for each in found)
