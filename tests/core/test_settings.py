"""The configuration: where it is found, what outranks what, and how mistakes are reported."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from reminderd import settings
from reminderd.errors import ConfigurationError, NotFound
from reminderd.model import Channel, QuietHours
from reminderd.settings import MASK, Settings

SHIPPED = Path(__file__).parents[2] / "config" / "reminderd.toml"


class Pigeon(BaseModel):
    """The section of an invented transport."""

    model_config = ConfigDict(extra="forbid")

    loft: str
    auth_token: SecretStr
    speed: int = 10
    ring: str | None = Field(None, pattern="^R[0-9]+$")
    from_: str | None = Field(None, alias="from")
    cage_file: Path | None = None

    @model_validator(mode="after")
    def _agrees(self) -> "Pigeon":
        if self.speed > 100 and self.cage_file is None:
            raise ValueError("a fast one needs a cage_file")
        return self


class Folder(BaseModel):
    """The section of another, whose model lets unknown keys pass."""

    directory: Path = Path("outbox")


MODELS: dict[str, type[BaseModel]] = {"pigeon": Pigeon, "file": Folder}

TEXT = """\
[clinics.main]
name = "Alba Skin Clinic"
phone = "+34 910 000 000"
timezone = "Europe/Madrid"
country = "ES"
language = "en"

[channels]
sms = "pigeon"

[transports.pigeon]
loft = "roof"
auth_token = "from the file"

[web]
listen = "127.0.0.1:8025"
"""


def written(folder: Path, text: str = TEXT) -> Path:
    """A configuration file with that text."""
    path = folder / "reminderd.toml"
    path.write_text(text, encoding="utf-8")
    return path


def load(folder: Path, text: str = TEXT, **environ: str) -> Settings:
    return settings.load(written(folder, text), environ, MODELS)


def faults(folder: Path, text: str, **environ: str) -> list[str]:
    """What is wrong with a configuration, without the path of its file."""
    with pytest.raises(ConfigurationError) as caught:
        load(folder, text, **environ)
    assert caught.value.exit_code == 78
    return [each.replace(f"{folder}/reminderd.toml:", "") for each in caught.value.faults]


def token(loaded: Settings) -> str:
    pigeon = loaded.transports["pigeon"]
    assert isinstance(pigeon, Pigeon)
    return pigeon.auth_token.get_secret_value()


def test_the_shipped_configuration_works_as_it_is() -> None:
    loaded = settings.load(SHIPPED, {}, MODELS)
    clinic = loaded.clinic("main", leaves_machine=lambda name: name == "pigeon")
    assert loaded.transport_for("main", Channel.SMS) == "file"
    assert clinic.quiet_hours == QuietHours.parse("21:00-08:00")
    assert clinic.leaving == frozenset()
    assert loaded.sections.web.listen is None
    assert loaded.sections.sessions.confirm is True


def test_a_clinic_knows_which_of_its_channels_leave_the_machine(tmp_path: Path) -> None:
    text = TEXT.replace('sms = "pigeon"', 'sms = "pigeon"\nemail = "file"')
    clinic = load(tmp_path, text).clinic("main", leaves_machine=lambda name: name == "pigeon")
    assert clinic.leaving == {Channel.SMS}
    assert clinic.name == "Alba Skin Clinic"


def test_a_clinic_may_choose_its_own_transport(tmp_path: Path) -> None:
    loaded = load(tmp_path, TEXT + '[clinics.main.channels]\nsms = "file"\n')
    assert loaded.transport_for("main", Channel.SMS) == "file"
    assert loaded.transport_for("main", Channel.EMAIL) is None


def test_an_unknown_clinic_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r'no clinic "mian".*did you mean "main"'):
        load(tmp_path).clinic("mian", leaves_machine=bool)


def test_relative_paths_are_relative_to_the_configuration(tmp_path: Path) -> None:
    text = TEXT + '[transports.file]\ndirectory = "mail"\n[database]\nurl = "sqlite:///a/b.db"\n'
    loaded = load(tmp_path, text)
    assert loaded.database == tmp_path / "a" / "b.db"
    assert loaded.transports["file"] == Folder(directory=tmp_path / "mail")


def test_an_absolute_database_stays_where_it_is(tmp_path: Path) -> None:
    text = TEXT + '[database]\nurl = "sqlite:////srv/care.db"\n'
    assert load(tmp_path, text).database == Path("/srv/care.db")


# Where it is found -------------------------------------------------------------------------


def test_a_named_configuration_comes_before_the_environment_and_the_usual_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    usual = written(tmp_path / "config")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    named, in_environment = written(tmp_path / "a"), written(tmp_path / "b")
    environ = {"REMINDERD_CONFIG": str(in_environment)}
    assert settings.find(named, environ) == named
    assert settings.find(None, environ) == in_environment
    assert settings.find(None, {}).absolute() == usual


@pytest.mark.parametrize("environ", [{}, {"REMINDERD_CONFIG": "nowhere.toml"}])
def test_without_any_configuration_one_is_told_to_run_init(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="there is no configuration at") as caught:
        settings.raw(None, environ)
    assert caught.value.remedy is not None
    assert "reminderd init" in caught.value.remedy


# What outranks what ------------------------------------------------------------------------


def test_environment_then_credential_then_key_file_then_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from KEY_file\n", encoding="utf-8")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    credential = credentials / "transports.pigeon.auth_token"
    credential.write_text("from the credential\n", encoding="utf-8")
    with_file = TEXT.replace("[web]", 'auth_token_file = "token"\n[web]')
    systemd = {"CREDENTIALS_DIRECTORY": str(credentials)}
    name = "REMINDERD_TRANSPORTS__PIGEON__AUTH_TOKEN"
    everything = {**systemd, name: "from the environment"}

    assert token(load(tmp_path, TEXT)) == "from the file"
    assert token(load(tmp_path, with_file)) == "from KEY_file"
    assert token(load(tmp_path, with_file, **systemd)) == "from the credential"
    assert token(load(tmp_path, with_file, **everything)) == "from the environment"


def test_the_origin_of_every_value_can_be_told(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret", encoding="utf-8")
    text = TEXT.replace('auth_token = "from the file"', 'auth_token_file = "token"')
    loaded = load(tmp_path, text, REMINDERD_WEB__LISTEN="localhost:80")
    origins = {each.path: each.origin for each in loaded.show()}
    assert origins["clinics.main.name"] == f"{tmp_path}/reminderd.toml:2"
    assert origins["clinics.main.quiet_hours"] == "default"
    assert origins["web.listen"] == "environment REMINDERD_WEB__LISTEN"
    assert origins["transports.pigeon.auth_token"] == f"file {tmp_path}/token"


def test_secrets_are_never_shown(tmp_path: Path) -> None:
    loaded = load(tmp_path)
    shown = {each.path: each.value for each in loaded.show()}
    assert shown["transports.pigeon.auth_token"] == MASK
    assert shown["transports.pigeon.loft"] == "roof"
    assert "from the file" not in repr(loaded.show())


def test_text_from_the_environment_takes_the_type_that_is_wanted(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        REMINDERD_SESSIONS__CONFIRM="false",
        REMINDERD_TRANSPORTS__PIGEON__SPEED="7",
        REMINDERD_TRANSPORTS__PIGEON__LOFT="12345",
    )
    pigeon = loaded.transports["pigeon"]
    assert loaded.sections.sessions.confirm is False
    assert isinstance(pigeon, Pigeon)
    assert (pigeon.speed, pigeon.loft) == (7, "12345")


def test_the_environment_reaches_a_clinic_whose_name_has_a_hyphen(tmp_path: Path) -> None:
    text = TEXT.replace("clinics.main", "clinics.alba-skin")
    loaded = load(tmp_path, text, REMINDERD_CLINICS__ALBA_SKIN__LANGUAGE="es")
    assert loaded.sections.clinics["alba-skin"].language == "es"


def test_a_key_that_ends_in_file_by_itself_is_not_opened(tmp_path: Path) -> None:
    loaded = load(tmp_path, TEXT.replace("[web]", 'cage_file = "cage"\n[web]'))
    pigeon = loaded.transports["pigeon"]
    assert isinstance(pigeon, Pigeon)
    assert pigeon.cage_file == tmp_path / "cage"


# What is refused ---------------------------------------------------------------------------

CHANGES: list[tuple[str, str, str]] = [
    ('name = "Alba Skin Clinic"', "", "1: clinics.main.name: is required"),
    ("Alba Skin", "A=?B", "2: clinics.main.name: must be plain text"),
    ("Alba Skin", "A\\nB", "2: clinics.main.name: must be plain text"),
    ("910 000 000", "12", '3: clinics.main.phone: "+34 12" is not a phone number'),
    ("Europe/Madrid", "Europe/Madird", '4: clinics.main.timezone: "Europe/Madird" is not a time'),
    ('"ES"', '"es"', '5: clinics.main.country: "es" is not a country'),
    ('"en"', '"english"', '6: clinics.main.language: "english" is not a language'),
    ('"en"', "1", "6: clinics.main.language: must be text in quotes"),
    ('"en"', '"en"\nquiet_hours = "21-8"', '7: clinics.main.quiet_hours: "21-8" is not a pair'),
    (
        "language",
        "langauge",
        '6: clinics.main.langauge: is not a known key; did you mean "language"',
    ),
    ("[clinics.main]", "[clinics.Main]", "1: clinics.Main: must be named with lower-case words"),
    ("[channels]", "[chanels]", '8: chanels: is not a known key; did you mean "channels"?'),
    (
        'sms = "pigeon"',
        'sms = "pigoen"',
        '9: channels.sms: there is no transport "pigoen"; did you',
    ),
    ('sms = "pigeon"', "sms = 1", "9: channels.sms: must be text in quotes"),
    ("[transports.pigeon]", "[transports.pigon]", "11: transports.pigon: there is no transport"),
    ('loft = "roof"', "", "11: transports.pigeon.loft: is required"),
    ('loft = "roof"', 'loft = "roof"\nspeed = "7"', "13: transports.pigeon.speed: must be a whole"),
    ('loft = "roof"', "loft = 1", "12: transports.pigeon.loft: must be text in quotes"),
    ('loft = "roof"', 'loft = "r"\nspeed = 101', "11: transports.pigeon: a fast one needs a cage"),
    (
        'loft = "roof"',
        'loft = "roof"\nring = "7"',
        "13: transports.pigeon.ring: is not of the form ^R[0-9]+$; copy it again, whole",
    ),
    (
        'loft = "roof"',
        'lof = "roof"',
        "12: transports.pigeon.lof: is not a known key; did you mean",
    ),
    ('auth_token = "from the file"', "", "11: transports.pigeon.auth_token: is required; or give"),
    (
        "auth_token =",
        "auth_token_file =",
        "13: transports.pigeon.auth_token_file: cannot be used: No",
    ),
    ("[web]", "[transports.file]\ndir = 1\n[web]", "16: transports.file.dir: is not a known key"),
    ("127.0.0.1:8025", "127.0.0.1:0", "16: web.listen: port 0 cannot be used"),
    ("127.0.0.1:8025", "127.0.0.1:65536", "16: web.listen: port 65536 cannot be used"),
    ("127.0.0.1:8025", "8025", '16: web.listen: "8025" is not an address'),
    ("[web]", '[web]\npublic_url = "care"', '16: web.public_url: "care" is not a web address'),
    ("[web]", "[sessions]\nconfirm = 1\n[web]", "16: sessions.confirm: must be true or false"),
    ("[web]", '[database]\nurl = "care.db"\n[web]', "16: database.url: must name a file, such as"),
    ("[web]", '[database]\nurl = "mysql://db/care"\n[web]', "16: database.url: must name a file"),
    ("[web]", "[web", "15: is not valid TOML"),
]


@pytest.mark.parametrize(("old", "new", "expected"), CHANGES)
def test_a_mistake_is_named_with_its_line(
    old: str, new: str, expected: str, tmp_path: Path
) -> None:
    assert old in TEXT
    found = faults(tmp_path, TEXT.replace(old, new, 1))
    assert [each for each in found if each.startswith(expected)], found


def test_a_configuration_without_a_clinic_is_refused(tmp_path: Path) -> None:
    assert faults(tmp_path, "") == ["1: clinics: is required"]
    assert faults(tmp_path, "[clinics]\n") == ["1: clinics: needs at least 1"]


def test_a_transport_that_is_used_needs_its_section(tmp_path: Path) -> None:
    text = re.sub(r"\[transports.*?(?=\[web)", "", TEXT, flags=re.DOTALL)
    expected = '9: channels.sms: "pigeon" needs a section [transports.pigeon] with loft, auth_token'
    assert faults(tmp_path, text) == [expected]


def test_every_mistake_is_reported_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    text = TEXT
    for old, new in [
        ("Europe/Madrid", "X"),
        ('"pigeon"', '"dove"'),
        ("roof", "r\\n"),
        (":80", ":-"),
    ]:
        text = text.replace(old, new, 1)
    found = faults(
        tmp_path,
        text.replace('auth_token = "from the file"', 'auth_token_file = "gone"\nspeed = true'),
        REMINDERD_SESSIONS__CONFIRM="perhaps",
        REMINDERD_FOO__BAR="1",
    )
    assert [each.split(": ")[:2] for each in found] == [
        ["4", "clinics.main.timezone"],
        ["9", "channels.sms"],
        ["13", "transports.pigeon.auth_token_file"],
        ["14", "transports.pigeon.speed"],
        ["17", "web.listen"],
        ["environment REMINDERD_FOO__BAR", "foo"],
        ["environment REMINDERD_SESSIONS__CONFIRM", "sessions.confirm"],
    ]


def test_a_secret_is_in_no_message(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hush", encoding="utf-8")
    text = TEXT.replace('auth_token = "from the file"', 'auth_token_file = "token"\nspeed = "x"')
    assert "hush" not in "".join(faults(tmp_path, text))


def test_an_empty_secret_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n", encoding="utf-8")
    text = TEXT.replace('auth_token = "from the file"', 'auth_token_file = "token"')
    expected = "13: transports.pigeon.auth_token_file: cannot be used: the file is empty"
    assert faults(tmp_path, text) == [expected]


def test_a_single_underscore_between_section_and_key_is_not_passed_over(tmp_path: Path) -> None:
    found = faults(tmp_path, TEXT, REMINDERD_DATABASE_URL="sqlite:///other.db")
    assert found[0].startswith("environment REMINDERD_DATABASE_URL: is not a setting")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "reminderd.toml"
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="is not UTF-8 text"):
        settings.load(path, {}, MODELS)


# The cheap way in --------------------------------------------------------------------------


def test_the_database_is_found_without_checking_the_rest(tmp_path: Path) -> None:
    text = '[clinics]\n[transports.pigeon]\nauth_token_file = "unreadable"\n'
    given = settings.raw(written(tmp_path, text), {"REMINDERD_DATABASE__URL": "sqlite:///x.db"})
    assert settings.database_path(given) == tmp_path / "x.db"
    assert settings.database_path(settings.raw(written(tmp_path), {})) == tmp_path / "reminderd.db"


def test_a_wrong_database_is_refused_there_too(tmp_path: Path) -> None:
    given = settings.raw(written(tmp_path, "[database]\nurl = 1\n"), {})
    with pytest.raises(ConfigurationError, match=r"toml:2: database\.url: must be text in quotes"):
        settings.database_path(given)


def test_the_database_is_found_without_anything_heavy() -> None:
    heavy = "{'pydantic', 'babel', 'phonenumbers', 'tzdata'} & set(sys.modules)"
    code = (
        "import sys; from pathlib import Path; from reminderd import settings\n"
        f"settings.database_path(settings.raw(Path({str(SHIPPED)!r}), {{}}))\n"
        f"sys.exit(str({heavy}) if {heavy} else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# The schema --------------------------------------------------------------------------------


def test_every_setting_is_described_in_the_schema() -> None:
    schema = settings.json_schema(MODELS)
    for name in ("ClinicSection", "ChannelsSection", "DatabaseSection", "WebSection"):
        for key, value in schema["$defs"][name]["properties"].items():
            assert value.get("description"), (name, key)
    assert "loft" in schema["properties"]["transports"]["properties"]["pigeon"]["properties"]
