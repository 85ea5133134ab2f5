"""Whatever people do to a sentence, a red flag in it is not lost, and nothing fails."""

import time
import unicodedata
from collections.abc import Callable
from typing import Literal, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reminderd.replies.reading import Reading, read
from reminderd.replies.words import RED_FLAGS, Meaning
from tests.replies.sample import CORPUS, RULES, Reply, replies

KNOWN = replies(CORPUS)
FLAGS = [each for each in KNOWN if each.expected[0] in RED_FLAGS]
OTHERS = [each for each in KNOWN if each.expected[0] not in RED_FLAGS]
POLITE = [
    "Hello", "Good morning", "Thanks", "Sorry to bother you", "Hola", "Muchas gracias", "Bonjour",
    "Merci beaucoup", "Olá", "Obrigada", "Guten Tag", "Vielen Dank", "مرحبا", "شكرا",
]  # fmt: skip
EMOJI = ["😭", "😡", "🙏", "🤒", "👍", "❤️", "👩🏽", "4️⃣"]

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
FORMS: tuple[Form, ...] = get_args(Form)

flags = st.sampled_from(FLAGS)
polite = st.sampled_from(POLITE)


def stays(flag: Reply, text: str) -> None:
    """A red flag is still one, and as serious."""
    order = list(Meaning)
    reading = read(text, RULES, [flag.language])
    assert order.index(reading.meaning) <= order.index(flag.expected[0]), (text, reading)


@given(flags, polite, polite, st.sampled_from([". ", ", ", "\n", "! ", " - ", "… "]))
def test_politeness_around_it_hides_no_red_flag(
    flag: Reply, before: str, after: str, between: str
) -> None:
    stays(flag, f"{before}{between}{flag.text}{between}{after}")


@given(flags, st.sampled_from(OTHERS), st.booleans())
def test_a_red_flag_stays_one_whatever_else_is_said(
    flag: Reply, other: Reply, comes_first: bool
) -> None:
    parts = [flag.text, other.text] if comes_first else [other.text, flag.text]
    stays(flag, ". ".join(parts))


@given(flags, st.sampled_from([str.upper, str.lower, str.title, str.capitalize, str.casefold]))
def test_capitals_hide_no_red_flag(flag: Reply, change: Callable[[str], str]) -> None:
    stays(flag, change(flag.text))


@given(flags, st.sampled_from(FORMS))
def test_the_way_accents_are_written_hides_no_red_flag(flag: Reply, form: Form) -> None:
    stays(flag, unicodedata.normalize(form, flag.text))


@given(flags)
def test_missing_accents_hide_no_red_flag(flag: Reply) -> None:
    apart = unicodedata.normalize("NFD", flag.text)
    stays(flag, "".join(each for each in apart if not unicodedata.combining(each)))


@given(flags, st.sampled_from(["  ", "\t", "\u00a0", " \u200b", "\u202f", "   "]))
def test_spaces_of_any_kind_hide_no_red_flag(flag: Reply, space: str) -> None:
    stays(flag, f"{space}{space.join(flag.text.split(' '))}{space}")


@given(flags, st.lists(st.sampled_from(EMOJI), max_size=4), st.lists(st.sampled_from(EMOJI)))
def test_emoji_around_it_hide_no_red_flag(flag: Reply, before: list[str], after: list[str]) -> None:
    stays(flag, f"{''.join(before)} {flag.text} {''.join(after)}")


@given(flags, st.sampled_from(["\u2019", "\u00b4", "`", "\u02bc", ""]))
def test_apostrophes_of_any_kind_hide_no_red_flag(flag: Reply, sign: str) -> None:
    stays(flag, flag.text.replace("'", sign))


@given(st.text())
@example("")
@example("\x00\ud800")
@example("؟" * 100)
def test_any_text_at_all_means_something(text: str) -> None:
    reading: Reading = read(text, RULES)
    assert reading.findings


@given(st.text(alphabet="noferv sp0123456789./?!,لا ", max_size=400))
def test_reading_the_same_again_gives_the_same(text: str) -> None:
    assert read(text, RULES) == read(text, RULES)


@given(st.lists(st.sampled_from(KNOWN), min_size=1, max_size=4))
def test_several_replies_at_once_are_good_only_where_each_is(many: list[Reply]) -> None:
    reading = read(". ".join(each.text for each in many), RULES)
    if reading.meaning is Meaning.ALL_GOOD:
        harmless = (Meaning.ALL_GOOD, Meaning.UNCLEAR)
        assert all(each.read().meaning in harmless for each in many)


LONG = {
    "replies": " ".join(each.text for each in KNOWN[::5]),
    "one word": "fever " * 400,
    "denials": "no " * 800,
    "a list": "fever or " * 400,
    "two words": "swelling face " * 200,
    "one letter": "s" * 1600,
    "numbers": "1 " * 800,
    "beginnings": "swell hinch gonfl inch geschwoll " * 80,
    "Arabic": "لا يوجد حمى ولا صديد " * 100,
}


@pytest.mark.parametrize("name", LONG)
def test_the_longest_text_message_is_read_in_a_moment(name: str) -> None:
    text = LONG[name][:1600]
    spent = []
    for _ in range(7):
        began = time.thread_time()
        read(text, RULES)
        spent.append(time.thread_time() - began)
    assert min(spent) < 0.025, "five milliseconds are usual; this is for slow machines"


@pytest.mark.parametrize("name", LONG)
def test_twice_the_length_takes_about_twice_the_time(name: str) -> None:
    def fastest(text: str) -> float:
        spent = []
        for _ in range(5):
            began = time.thread_time()
            read(text, RULES)
            spent.append(time.thread_time() - began)
        return min(spent)

    text = LONG[name]
    text = (text * (20_000 // len(text) + 1))[:20_000]
    assert fastest(text) < 4 * fastest(text[:10_000])
