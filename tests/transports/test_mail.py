"""The bytes of a mail: right for every reader, always the same, and safe from smuggled headers."""

from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reminderd.calendar_file import written
from reminderd.errors import Rejected, WrongAddress
from reminderd.transports.mail import Mailbox, compose, message_id
from tests.transports.letters import ADDRESS, CALENDAR, email

SENDER = Mailbox("Alba Skin Clinic", "care@example.org")
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "List-Unsubscribe",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
]
AWKWARD = [
    "Ana Prueba",
    'O"Brien, \\ (the <third>)',
    "D'Angelo; a@b.example:",
    "Ελένη Παπαδοπούλου",
    "مريم العلي",
    "Ñ" * 200,
    "a" * 200,
    "",
    "  two   spaces ",
    "Zoë 👩‍⚕️",
]


def read(content: bytes) -> EmailMessage:
    parsed = message_from_bytes(content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def recipient(content: bytes) -> tuple[str, str]:
    # The newer parser of some Pythons puts blanks into a long name; the old one does not.
    name, address = parseaddr(message_from_bytes(content)["To"].replace("\n", ""))
    return str(make_header(decode_header(name))), address


def test_a_mail_has_exactly_these_headers_and_both_parts() -> None:
    message = email(language="es")
    parsed = read(compose(message, SENDER))
    assert parsed.keys() == HEADERS
    (sender,) = parsed["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Alba Skin Clinic", "care@example.org")
    assert parsed["Subject"] == "Your skin tonight"
    assert parsedate_to_datetime(parsed["Date"]) == message.at
    assert parsed["Message-ID"] == message_id(message, SENDER)
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["List-Unsubscribe"] == "<mailto:care@example.org?subject=unsubscribe>"
    assert parsed["Content-Language"] == "es"
    assert [part.get_content_type() for part in parsed.iter_parts()] == ["text/plain", "text/html"]
    for kind, expected in (("plain", message.text), ("html", message.html)):
        part = parsed.get_body((kind,))
        assert part is not None
        assert part.get_content().strip() == expected


def test_a_mail_has_a_button_for_one_click_where_there_is_an_address_for_it() -> None:
    address = "https://care.example.org/unsubscribe/" + "A" * 55
    content = compose(email(unsubscribe=address), SENDER)
    parsed = read(content)
    ways = f"<{address}>, <mailto:care@example.org?subject=unsubscribe>"
    assert parsed["List-Unsubscribe"] == ways
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    after = HEADERS.index("List-Unsubscribe") + 1
    assert parsed.keys() == [*HEADERS[:after], "List-Unsubscribe-Post", *HEADERS[after:]]
    assert max(map(len, content.splitlines())) < 998


@pytest.mark.parametrize("address", ["https://a/\r\nBcc: b@example.org", "https://a/=?utf-8?q?x?="])
def test_no_header_comes_in_by_the_button(address: str) -> None:
    with pytest.raises(Rejected):
        compose(email(unsubscribe=address), SENDER)


def test_a_mail_without_html_is_plain_text() -> None:
    parsed = read(compose(email(html=None), SENDER))
    assert parsed.get_content_type() == "text/plain"
    assert parsed.get_content().strip() == email().text


@pytest.mark.parametrize("html", ["<p>Words</p>", None])
def test_a_calendar_is_a_file_beside_the_words_which_stay_as_they_are(html: str | None) -> None:
    message = email(html=html, calendar=CALENDAR)
    content = compose(message, SENDER)
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 78
    parsed = read(content)
    assert parsed.keys() == HEADERS
    assert parsed.get_content_type() == "multipart/mixed"
    words, file = parsed.iter_parts()
    plain = compose(email(html=html), SENDER)
    assert plain[plain.index(b"Content-Type") :] in content
    assert words.get_content_type() == ("multipart/alternative" if html else "text/plain")
    assert file["Content-Type"] == 'text/calendar; charset="utf-8"; method="PUBLISH"'
    assert (file.get_content_disposition(), file.get_filename()) == ("attachment", "aftercare.ics")
    assert file.get_payload(decode=True) == written(CALENDAR, message.at)


def test_the_same_message_gives_the_same_bytes_and_another_one_another_id() -> None:
    for calendar in (None, CALENDAR):
        message = email(calendar=calendar)
        assert compose(message, SENDER) == compose(message, SENDER)
    ids = {message_id(email(**change), SENDER) for change in ({}, {"id": "msg-13"}, {"text": "x"})}
    assert len(ids) == 3
    assert all(each.startswith("<msg-1") and each.endswith("@example.org>") for each in ids)


def test_a_sender_without_a_name_speaks_in_the_clinics() -> None:
    parsed = read(compose(email(), Mailbox.parse("care@example.org")))
    assert parsed["From"].addresses[0].display_name == "Alba Skin Clinic"


@given(
    name=st.one_of(st.sampled_from(AWKWARD), st.text(max_size=90)),
    subject=st.one_of(st.sampled_from(AWKWARD), st.text(max_size=90)),
)
@example(name="Ana\r\nBcc: x@example.org", subject="x")
@example(name="=?utf-8?q?Ana=0D=0ABcc:_x@example.org?=", subject="x")
@example(name="x", subject="y\nX-Evil: 1")
def test_a_name_is_refused_or_arrives_and_never_brings_a_header(name: str, subject: str) -> None:
    try:
        content = compose(email(recipient_name=name, subject=subject), SENDER)
    except Rejected:
        unsafe = any(not char.isprintable() for char in name + subject)
        assert unsafe or "=?" in name + subject
        return
    parsed = read(content)
    assert parsed.keys() == HEADERS
    assert recipient(content) == (" ".join(name.split()), ADDRESS)
    assert parsed["Subject"] == " ".join(subject.split())
    assert max(map(len, content.split(b"\r\n"))) < 200


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_names_are_not_refused(name: str) -> None:
    assert compose(email(recipient_name=name), SENDER)


@given(text=st.text(st.characters(codec="utf-8"), max_size=400))
@example(text="Ελένη, μην κάνετε ντους.\n" * 9)
@example(text="x" * 2000 + " \n.\nFrom me\n=_\n--=_")
def test_every_text_arrives_in_short_seven_bit_lines(text: str) -> None:
    content = compose(email(text=text, html=text), SENDER)
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 78
    for kind in ("plain", "html"):
        part = read(content).get_body((kind,))
        assert part is not None
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        assert payload.decode().splitlines() == text.splitlines() or not text.strip("\r\n")


@pytest.mark.parametrize(
    "address",
    ["", "ana", "a@b@c", "a@b, c@d", "a b@example.org", "<a@b>", "a@b\r\nBcc: c@d", "a@=?x?q?y?="],
)
def test_what_is_no_address_is_a_wrong_address(address: str) -> None:
    with pytest.raises(WrongAddress):
        compose(email(to=address), SENDER)
