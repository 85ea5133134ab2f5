"""The signature joins names and values without a seam: one genuine request can be cut otherwise.

Whatever is believed of such a cut says what the provider said, of the same message.
"""

from urllib.parse import urlencode

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reminderd.interfaces import Callback
from reminderd.outbox_values import Call
from tests.fakes.twilio_calls import signature, status
from tests.web.line import HOOKS, SID, receiver

TWILIO = receiver()
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
def cuts(draw: st.DrawFn) -> list[tuple[str, str]]:
    """The signed text, cut into other fields; most keep some of the old seams."""
    seams, at = [], 0
    for name, value in GENUINE:
        seams += [at + len(name), at + len(name) + len(value)]
        at = seams[-1]
    kept = draw(st.lists(st.sampled_from(seams), unique=True, max_size=len(seams)))
    fresh = draw(st.lists(st.integers(1, len(SEAMLESS) - 1), unique=True, max_size=3))
    ends = sorted({*kept, *fresh, len(SEAMLESS)})
    if len(ends) % 2:
        ends = sorted({*ends, draw(st.integers(1, ends[0]))})
    assume(len(ends) % 2 == 0)
    pieces = [SEAMLESS[a:b] for a, b in zip([0, *ends], ends, strict=False)]
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
