"""Names, the clinic's own keys, phones and addresses: as people write them, and nothing else."""

import pytest

from reminderd.entries import read_email, read_phone
from tests.core.typed import fields, patient


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
