"""The *Unsubscribe* button over real HTTP: a look changes nothing, a press does, and only ours."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from reminderd.model import Channel
from reminderd.resources import templates_dir
from reminderd.unsubscribing import Tokens
from reminderd.web.unsubscribe_words import WORDS, words_in
from tests.configuration import configuration
from tests.core.build import at, state
from tests.core.desk import NOTE, Desk
from tests.fakes.twilio_calls import Answer, ask
from tests.web.line import Line, open_line

EMAIL = Channel.EMAIL
ONE_CLICK = b"List-Unsubscribe=One-Click"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Vera reads Spanish, and only mail reaches her."""
    desk = Desk(tmp_path, at("2026-03-10 08:00"))
    desk.protocol(NOTE)
    desk.treat(desk.patient(channels="email", language="es"), "2026-03-10 09:00")
    yield desk
    desk.close()


@pytest.fixture
def line(desk: Desk) -> Iterator[Line]:
    with open_line(desk, wishes=lambda: desk.house.wishes) as line:
        yield line


def token(desk: Desk, patient: int = 1) -> str:
    return Tokens(desk.outbox.make_secret()).token(patient, EMAIL, "vera@example.org")


def looks(line: Line, at: str) -> Answer:
    return ask("GET", f"/unsubscribe/{at}", line.port)


def presses(line: Line, at: str, body: bytes = ONE_CLICK) -> Answer:
    return ask("POST", f"/unsubscribe/{at}", line.port, body, FORM)


def agrees(line: Line, patient: int = 1) -> bool:
    return line.desk.intake.patient(f"pat-{patient}").consents(EMAIL)


class _Forms(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_a_look_shows_one_button_in_the_patients_language_and_changes_nothing(line: Line) -> None:
    before = len(line.desk.outbox.trail())
    answer = looks(line, token(line.desk))
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = answer.body.decode()
    assert "¿Quiere dejar de recibir correos de <bdi>Alba Skin Clinic</bdi>" in page
    assert "+34 910 000 000" in page
    assert "Vera" not in page
    forms = _Forms(page)
    assert forms.all("form") == [{"method": "post"}]
    assert len(forms.all("button")) == 1
    assert forms.all("html") == [{"lang": "es", "dir": "ltr"}]
    assert not forms.all("script") + forms.all("img") + forms.all("link")
    assert agrees(line)
    assert len(line.desk.outbox.trail()) == before


@pytest.mark.parametrize("body", [ONE_CLICK, b""], ids=["one click", "without a body"])
def test_a_press_withdraws_consent_for_mail_at_once_and_says_so(line: Line, body: bytes) -> None:
    answer = presses(line, token(line.desk), body)
    assert answer.status == 200
    assert "Ya no recibirá correos" in answer.body.decode()
    assert not _Forms(answer.body.decode()).all("form")
    assert not agrees(line)
    assert state(line.desk.the()) == "cancelled/opted-out"
    line.desk.drain("2026-03-10 10:00")
    assert line.desk.email.asked == 0


def test_a_second_press_says_the_same(line: Line) -> None:
    first, second = (presses(line, token(line.desk)) for _ in range(2))
    assert (first.status, first.body) == (second.status, second.body)


@pytest.mark.parametrize("wrong", ["x", "A" * 55, "%00", "a%2Fb", "é".encode().hex()])
def test_a_token_that_is_none_of_ours_is_not_there_and_changes_nothing(
    line: Line, wrong: str
) -> None:
    token(line.desk)
    assert [looks(line, wrong).status, presses(line, wrong).status] == [404, 404]
    assert agrees(line)


def test_nobody_is_taken_off_by_a_token_that_was_cut_or_changed(line: Line) -> None:
    right = token(line.desk)
    other = "B" if right[9] != "B" else "C"
    for wrong in (right[:-1], right + "A", right[:9] + other + right[10:]):
        assert presses(line, wrong).status == 404
    assert agrees(line)


def test_the_button_of_one_does_not_take_off_another_at_the_same_address(line: Line) -> None:
    line.desk.patient("Ana")
    presses(line, token(line.desk))
    assert (agrees(line, 1), agrees(line, 2)) == (False, True)


def test_the_page_is_kept_nowhere_and_fetches_nothing(line: Line) -> None:
    headers = looks(line, token(line.desk)).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'")


def test_other_methods_and_other_places_are_refused(line: Line) -> None:
    path = f"/unsubscribe/{token(line.desk)}"
    assert ask("PUT", path, line.port).status == 405
    assert ask("GET", "/unsubscribe/", line.port).status == 404
    assert agrees(line)


def test_a_clinics_name_is_text_and_nothing_else(tmp_path: Path) -> None:
    config = configuration().replace("Alba Skin Clinic", "Alba <script>& Co {phone}")
    desk = Desk(tmp_path, at("2026-03-10 08:00"), config=config)
    desk.protocol(NOTE)
    desk.patient()
    with open_line(desk, wishes=lambda: desk.house.wishes) as line:
        page = looks(line, token(desk)).body.decode()
    assert "Alba &lt;script&gt;&amp; Co {phone}" in page
    desk.close()


def test_without_an_address_of_ours_there_is_no_such_page(desk: Desk) -> None:
    with open_line(desk) as line:
        assert presses(line, token(desk)).status == 404
    assert agrees(line)


def test_every_language_that_is_shipped_has_its_page() -> None:
    assert set(WORDS) == {each.name for each in templates_dir().iterdir() if each.is_dir()}
    for words in WORDS.values():
        assert "{clinic}" in words.question
        assert "{clinic}" in words.done
    assert words_in("pt_BR")[0] == "pt"
    assert words_in("xx")[0] == "en"
