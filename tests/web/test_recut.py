"""The signature joins names and values without a seam: one genuine request can be cut otherwise.

Whatever is believed of such a cut says what the provider said, of the same message.
"""

from urllib.parse import urlencode

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from reminderd.interfaces import Callback
from reminderd.outbox_values import Call, Reply
from reminderd.transports.twilio_callbacks import is_signed
from tests.fakes.twilio_calls import inbound, signature, status
from tests.fakes.twilio_server import ACCOUNT, TOKEN
from tests.web.line import HOOKS, SID, receiver

TWILIO = receiver()
Fields = list[tuple[str, str]]
QUERY = "attempt=abcdefghijklmnopqrstuv"
GENUINE = sorted(status(SID, "undelivered", ErrorCode="30003").items())
SEAMLESS = "".join(name + value for name, value in GENUINE)
SIGNATURE = signature(f"{HOOKS}/status?{QUERY}", GENUINE)


def believed(query: str, body: bytes, signed: str) -> Callback | None:
    try:
        return TWILIO.status(Call(query, body, {"x-twilio-signature": signed}))
    except Exception:
        return None


def test_the_genuine_one_is_believed() -> None:
    found = believed(QUERY, urlencode(GENUINE).encode(), SIGNATURE)
    assert found is not None
    assert (found.provider_id, found.receipt, found.code) == (SID, "undelivered", "30003")


@st.composite
def cuts(draw: st.DrawFn, genuine: Fields = GENUINE) -> Fields:
    """The signed text, cut into other fields; most keep some of the old seams."""
    whole = "".join(name + value for name, value in genuine)
    seams, at = [], 0
    for name, value in genuine:
        seams += [at + len(name), at + len(name) + len(value)]
        at = seams[-1]
    kept = draw(st.lists(st.sampled_from(seams), unique=True, max_size=len(seams)))
    fresh = draw(st.lists(st.integers(1, len(whole) - 1), unique=True, max_size=3))
    ends = sorted({*kept, *fresh, len(whole)})
    if len(ends) % 2:
        ends = sorted({*ends, draw(st.integers(1, ends[0]))})
    assume(len(ends) % 2 == 0)
    pieces = [whole[a:b] for a, b in zip([0, *ends], ends, strict=False)]
    return list(zip(pieces[::2], pieces[1::2], strict=True))


@given(cuts())
@settings(max_examples=600, deadline=None)
def test_a_genuine_request_that_was_cut_otherwise_says_nothing_else(
    fields: list[tuple[str, str]],
) -> None:
    found = believed(QUERY, urlencode(fields).encode(), SIGNATURE)
    if found is not None:
        assert (found.provider_id, found.token) == (SID, QUERY.removeprefix("attempt="))
        # Its end may be lost, and then less is known than was said: it was taken.
        assert found.receipt in ("undelivered", "queued")
        assert found.code in ("30003", None)
        assert found.meaning is None


# Replies ------------------------------------------------------------------------------------------

VERA, OTHER, OURS = "+34600000001", "+34600000009", "+34600000000"
WORDS = f"It burns. Dizziness From{OTHER}"
WRITTEN = inbound(SID, WORDS, FromCity="Madrid")


def heard(fields: Fields, written: Fields) -> Reply | None:
    """What is believed of the fields under the signature of what was written."""
    signed = signature(f"{HOOKS}/inbound", written)
    try:
        return TWILIO.inbound(Call("", urlencode(fields).encode(), {"x-twilio-signature": signed}))
    except Exception:
        return None


@given(st.permutations(sorted(WRITTEN.items())))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_fields_says_nothing(fields: Fields) -> None:
    assert heard(fields, fields) == Reply(SID, VERA, OURS, WORDS)


@given(cuts(sorted(WRITTEN.items())))
@settings(max_examples=600, deadline=None)
def test_a_reply_that_was_cut_otherwise_is_the_same_or_none(fields: Fields) -> None:
    found = heard(fields, list(WRITTEN.items()))
    assert found in (None, Reply(SID, VERA, OURS, WORDS))


SHORT = {"AccountSid": ACCOUNT, "Body": WORDS, "From": VERA, "FromCity": "Madrid",
         "MessageSid": SID, "To": OURS}  # fmt: skip
BEFORE, AFTER = {"AccountSid": ACCOUNT}, {"MessageSid": SID, "To": OURS}
WANTED = {
    "fewer words": {
        "Body": "It burns. ", f"Dizziness From{OTHER}": "", "From": VERA, "FromCity": "Madrid",
    },
    "a city for a sender": {"Body": f"{WORDS}From{VERA}", "From": "CityMadrid"},
    "a longer sender": {"Body": WORDS, "From": f"{VERA}FromCityMadrid"},
    "a sender from the words": {
        "Body": "It burns. Dizziness ", "From": OTHER, f"From{VERA}": "", "FromCity": "Madrid",
    },
    "a longer one from the words": {
        "Body": "It burns. Dizziness ", "From": f"{OTHER}From{VERA}", "FromCity": "Madrid",
    },
}  # fmt: skip


@pytest.mark.parametrize("cut", WANTED.values(), ids=WANTED)
def test_what_somebody_could_want_to_make_of_a_reply_is_refused(cut: dict[str, str]) -> None:
    fields, written = [*BEFORE.items(), *cut.items(), *AFTER.items()], list(SHORT.items())
    assert signature("", fields) == signature("", written), "it carries the genuine signature"
    assert heard(written, written) is not None
    assert heard(fields, written) is None


# Both ---------------------------------------------------------------------------------------------


@given(st.integers(0, len(SEAMLESS) - 1))
@settings(max_examples=60, deadline=None)
def test_nothing_moves_from_the_form_into_the_address(at: int) -> None:
    moved, rest = SEAMLESS[:at], SEAMLESS[at:]
    assume(moved)
    assert believed(QUERY + moved, urlencode([(rest[:9], rest[9:])]).encode(), SIGNATURE) is None


@given(st.binary(max_size=400), st.text(max_size=60), st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_whatever_arrives_is_refused_and_never_more_than_that(
    body: bytes, query: str, signed: str
) -> None:
    assert believed(query, body, signed) is None


@given(st.dictionaries(st.text(min_size=1, max_size=9), st.text(max_size=30), max_size=6))
@settings(max_examples=100, deadline=None)
def test_our_calls_are_signed_as_the_providers_own_library_signs_them(form: dict[str, str]) -> None:
    url = f"{HOOKS}/status?{QUERY}"
    signed = RequestValidator(TOKEN).compute_signature(url, form)
    assert signature(url, form.items()) == signed


ADDRESSES = [
    f"{place}/hooks{query}"
    for place in ("https://a.example", "https://a.example:443", "https://a.example:8443",
                  "http://a.example", "http://a.example:80/care", "https://b.example")
    for query in ("", "?attempt=abc", "?attempt=abc%20d&x")
]  # fmt: skip


@pytest.mark.parametrize("signed_for", ADDRESSES)
def test_what_we_believe_is_what_the_providers_own_library_believes(signed_for: str) -> None:
    form = inbound(SID, "Grüße 🙂")
    for marked in (signature(signed_for, form.items()), "", "ö", "x" * 99):
        for url in ADDRESSES:
            theirs = RequestValidator(TOKEN).validate(url, form, marked)
            assert is_signed(url, form, marked, TOKEN) == theirs
            assert not is_signed(url, form, marked, "another")
