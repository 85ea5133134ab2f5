"""A clinic's own words for replies: with a mistake in them nobody's STOP would be understood."""

import pytest

from tests.cli.desk import Clinic


@pytest.mark.parametrize(("command", "exit_code"), [(("check",), 1), (("run", "--once"), 78)])
def test_a_mistake_in_the_clinics_own_words_is_named_before_anything_is_sent(
    clinic: Clinic, command: tuple[str, ...], exit_code: int
) -> None:
    own = clinic.folder / "config" / "replies"
    own.mkdir()
    (own / "en.toml").write_text("language = \n")
    said = clinic.types(*command)
    assert said.exit_code == exit_code
    assert "en.toml:1" in said.output + said.stderr
    assert "take it away" in said.output + said.stderr
