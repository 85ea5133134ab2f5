"""What an SMS costs, counted by hand and by a slow reference."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminderd.segments import SmsSize, culprits, measure, plain

GSM_LETTERS = "abc ABC éèùìòàñüöäåøæß ÉÇÑÜÖÄÅØÆ ¡¿§£¥¤ ΔΦΓΛΩΠΨΣΘΞ @$_\n\r"
EMOJI = "\N{SMILING FACE WITH OPEN MOUTH}"


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("é" * 160, "GSM-7", 160, 1),
        ("a" * 158 + "€", "GSM-7", 160, 1),
        ("a" * 159 + "€", "GSM-7", 161, 2),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        # 76 euro signs fill 152 of 153 septets: the last one is left empty, in every segment.
        ("€" * 152, "GSM-7", 304, 2),
        ("€" * 153, "GSM-7", 306, 3),
        # The euro sign would stand on septets 153 and 154, so it moves to the second segment.
        ("a" * 152 + "€" + "a" * 151, "GSM-7", 305, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),
        ("a" * 151 + "€" + "a" * 153, "GSM-7", 306, 2),
        ("á" * 70, "UCS-2", 70, 1),
        ("á" * 71, "UCS-2", 71, 2),
        ("á" * 134, "UCS-2", 134, 2),
        ("á" * 135, "UCS-2", 135, 3),
        ("á" + "€" * 69, "UCS-2", 70, 1),
        ("a" * 68 + EMOJI, "UCS-2", 70, 1),
        ("a" * 69 + EMOJI, "UCS-2", 71, 2),
        # The emoji would stand on units 67 and 68, so it moves to the second segment.
        ("a" * 66 + EMOJI + "a" * 65, "UCS-2", 133, 2),
        ("a" * 66 + EMOJI + "a" * 66, "UCS-2", 134, 3),
        ("a" * 65 + EMOJI + "a" * 67, "UCS-2", 134, 2),
    ],
)
def test_an_sms_is_counted_as_the_network_counts_it(
    text: str, encoding: str, units: int, segments: int
) -> None:
    size = measure(text)
    assert (size.encoding, size.units, size.segments) == (encoding, units, segments)


@pytest.mark.parametrize("letter", "áíóúçãõâêôÁÍÓÚ`°ªº\t")
def test_a_letter_outside_the_alphabet_makes_the_whole_text_ucs2(letter: str) -> None:
    assert measure(f"abc {letter}").encoding == "UCS-2"
    assert culprits(f"abc {letter}{letter}") == (letter,)


def test_the_letters_of_the_alphabet_cost_one_septet_each() -> None:
    assert measure(GSM_LETTERS) == SmsSize("GSM-7", len(GSM_LETTERS), 1)
    assert culprits(GSM_LETTERS + "€{}[]~\\|^") == ()


def test_culprits_are_named_once_and_in_order() -> None:
    assert culprits("Mañana, María, será: así") == ("í", "á")


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("2:30\N{NARROW NO-BREAK SPACE}PM", "2:30 PM"),
        ("a\N{NO-BREAK SPACE}b\tc", "a b c"),
        ("\u201cDon\u2019t\u201d", '"Don\'t"'),
        ("«hola»", '"hola"'),
        ("9\u201312 \u2014 ok\u2026", "9-12 - ok..."),
        ("soft\u00adhyphen\u200b", "softhyphen"),
        ("cafe\N{COMBINING ACUTE ACCENT}", "café"),
    ],
)
def test_look_alikes_are_sent_as_the_characters_that_cost_less(typed: str, sent: str) -> None:
    assert plain(typed) == sent
    assert measure(plain(typed)).encoding == "GSM-7"


def test_letters_that_cannot_be_saved_stay_as_they_are() -> None:
    assert plain("María João Ágreda Ñuñez Αντιγόνη ضاحك") == "María João Ágreda Ñuñez Αντιγόνη ضاحك"


def test_plain_is_stable_for_every_character_there_is() -> None:
    everything = (chr(code) for code in range(sys.maxunicode + 1))
    assert [each for each in everything if plain(plain(each)) != plain(each)] == []


@given(st.text())
def test_plain_never_fails_and_a_second_time_changes_nothing(text: str) -> None:
    assert plain(plain(text)) == plain(text)


def reference(text: str) -> SmsSize:
    """Cut the text character by character, as a phone would."""
    gsm = not culprits(text)
    alone, joined = (160, 153) if gsm else (70, 67)
    widths = [2 if each in "\f^{}\\[~]|€" else 1 for each in text]
    if not gsm:
        widths = [len(each.encode("utf-16-le", "surrogatepass")) // 2 for each in text]
    if sum(widths) <= alone:
        return SmsSize("GSM-7" if gsm else "UCS-2", sum(widths), 1)
    parts, used = 1, 0
    for width in widths:
        if used + width > joined:
            parts, used = parts + 1, 0
        used += width
    return SmsSize("GSM-7" if gsm else "UCS-2", sum(widths), parts)


@given(st.text(st.sampled_from("aé€[~" + "\n"), min_size=140, max_size=700))
def test_septets_are_cut_as_a_phone_would_cut_them(text: str) -> None:
    assert measure(text) == reference(text)


@given(st.text(st.sampled_from("aé€á" + EMOJI), min_size=60, max_size=400))
def test_utf16_units_are_cut_as_a_phone_would_cut_them(text: str) -> None:
    assert measure(text) == reference(text)
