"""Where the database is: a file, or a PostgreSQL server whose password nobody gets to see."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from reminderd import bootstrap, settings
from reminderd.cli.app import app
from reminderd.errors import ConfigurationError
from reminderd.settings import Settings
from tests.configuration import configuration

CARE = "postgresql://care@db.example.org/care"
WITH_PASSWORD = "postgresql://care:hush@db.example.org/care"
ORIGINAL = 'url = "sqlite:///reminderd.db"'


def load(folder: Path, url: str = CARE, *more: str, **environ: str) -> Settings:
    """A configuration with that URL, and more lines for the section of the database."""
    path = folder / "reminderd.toml"
    lines = "\n".join([f'url = "{url}"', *more])
    path.write_text(configuration().replace(ORIGINAL, lines), encoding="utf-8")
    return bootstrap.load_settings(path, environ)


def refusal(folder: Path, url: str, *more: str, **environ: str) -> str:
    """What is said of such a configuration, without the path of its file."""
    with pytest.raises(ConfigurationError) as caught:
        load(folder, url, *more, **environ).database_url  # noqa: B018
    return str(caught.value).replace(f"{folder}/reminderd.toml:", "")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (CARE, "care on db.example.org"),
        ("postgres://care@[::1]:5433/care?sslmode=verify-full", "care on [::1]:5433"),
        ("postgresql:///care?host=/run/postgresql", "care on this machine"),
        (
            "postgresql://care@one,two:5433/my%20care?target_session_attrs=read-write",
            "my care on one,two:5433",
        ),
        (WITH_PASSWORD, "care on db.example.org"),
    ],
)
def test_a_database_on_a_server_is_taken_as_it_is(tmp_path: Path, url: str, shown: str) -> None:
    loaded = load(tmp_path, url)
    assert loaded.is_distributed
    assert loaded.database_url == url
    assert loaded.database_shown == shown


def test_a_file_stays_a_file(tmp_path: Path) -> None:
    loaded = load(tmp_path, "sqlite:///care.db", 'password = "left from the other one"')
    assert not loaded.is_distributed
    assert loaded.database == tmp_path / "care.db"
    assert loaded.database_url == "sqlite:///care.db"
    assert loaded.database_shown == str(tmp_path / "care.db")


def test_what_needs_a_file_says_so_of_a_server(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"database\.url: names a PostgreSQL database"):
        _ = load(tmp_path).database


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://care:hush#1@db.example.org/care",
        "postgresql://care:hu/sh@db.example.org/care",
        "postgresql://care:hu?sh@db.example.org/care",
        "postgresql://care:hu@sh@db.example.org/care",
        "postgresql://care:hush@db.example.org",
        "postgresql://care:hush@db.example.org/",
        "postgresql://",
    ],
)
def test_a_url_that_cannot_be_read_is_refused_without_its_password(
    tmp_path: Path, url: str
) -> None:
    said = refusal(tmp_path, url)
    assert said.startswith('11: database.url: must be of the form "postgresql://user@host/name"')
    assert "hu" not in said


# The password ------------------------------------------------------------------------------


def test_the_password_may_come_from_wherever_secrets_come_from(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("from a file\n", encoding="utf-8")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "database.password").write_text("from systemd", encoding="utf-8")
    systemd = {"CREDENTIALS_DIRECTORY": str(credentials)}
    strongest = {**systemd, "REMINDERD_DATABASE__PASSWORD": "a&b%c@d"}
    in_file = 'password_file = "password"'

    def password(*more: str, **environ: str) -> str:
        return load(tmp_path, CARE, *more, **environ).database_url.removeprefix(f"{CARE}?password=")

    assert password('password = "plain"') == "plain"
    assert password(in_file) == "from%20a%20file"
    assert password(in_file, **systemd) == "from%20systemd"
    assert password(in_file, **strongest) == "a%26b%25c%40d"


def test_the_password_stands_beside_other_options(tmp_path: Path) -> None:
    loaded = load(tmp_path, f"{CARE}?sslmode=require", 'password = "plain"')
    assert loaded.database_url == f"{CARE}?sslmode=require&password=plain"


@pytest.mark.parametrize("url", [WITH_PASSWORD, f"{CARE}?password=hush"])
def test_a_password_is_given_once(tmp_path: Path, url: str) -> None:
    said = refusal(tmp_path, url, 'password = "hush"')
    assert said == "12: database.password: stands in url already: give it once"


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        (WITH_PASSWORD, "postgresql://care:********@db.example.org/care"),
        (f"{CARE}?password=hush&sslmode=require", f"{CARE}?password=********&sslmode=require"),
        (f"{CARE}?sslpassword=hush", f"{CARE}?sslpassword=********"),
    ],
)
def test_a_password_in_the_url_is_shown_to_nobody(tmp_path: Path, url: str, masked: str) -> None:
    loaded = load(tmp_path, url)
    assert {each.path: each.value for each in loaded.show()}["database.url"] == masked
    assert "hush" not in f"{loaded.database_shown}{loaded.show()}"


def test_the_command_line_shows_no_password(tmp_path: Path) -> None:
    load(tmp_path, CARE, 'password = "hush"')
    config = ["--config", str(tmp_path / "reminderd.toml")]
    shown = CliRunner().invoke(app, [*config, "config", "show", "--json"])
    values = {each["path"]: each["value"] for each in json.loads(shown.stdout)["settings"]}
    assert values["database.url"] == CARE
    assert values["database.password"] == settings.MASK
    assert "hush" not in shown.output


def test_a_password_that_is_no_text_is_refused(tmp_path: Path) -> None:
    assert (
        refusal(tmp_path, CARE, "password = 1") == "12: database.password: must be text in quotes"
    )


# What it needs -----------------------------------------------------------------------------


def test_without_the_extra_one_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "procrastinate", None)
    with pytest.raises(ConfigurationError) as caught:
        _ = load(tmp_path).database_url
    assert str(caught.value).endswith("PostgreSQL needs packages that are not installed")
    assert caught.value.remedy == "Install them: pip install 'reminderd[postgres]'"
    assert load(tmp_path, "sqlite:///care.db").database_url


def test_the_cheap_way_in_leads_there_too(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hush", encoding="utf-8")
    path = tmp_path / "reminderd.toml"
    path.write_text(f'[database]\nurl = "{CARE}"\npassword_file = "password"\n', encoding="utf-8")
    assert settings.database_url(settings.raw(path, {})) == f"{CARE}?password=hush"
    path.write_text(f'[database]\nurl = "{CARE}"\npassword_file = "gone"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"toml:3: database\.password_file: cannot be"):
        settings.database_url(settings.raw(path, {}))
