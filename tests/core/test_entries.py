"""What people type is read kindly, and every mistake is named with its remedy."""

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from reminderd.entries import (
    Fault,
    read_area,
    read_channels,
    read_email,
    read_language,
    read_name,
    read_patient,
    read_phone,
    read_ref,
    read_session_at,
    read_tags,
    read_timezone,
)
from reminderd.model import Channel, Consent, Patient, Screening
from tests.core.typed import ALBA, BOTH, LUA, NOW, faults, fields, patient


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
