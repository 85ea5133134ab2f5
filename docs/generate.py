"""Write what can be written from the program itself: python -m docs.generate"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from docs.console import filled
from docs.milestone_page import milestone_page
from docs.schema_page import schema_page
from reminderd import cli
from reminderd.bootstrap import transport_models
from reminderd.cli.app import app
from reminderd.cli.help_text import help_text
from reminderd.settings_format import SettingsFormat

DOCS = Path(__file__).parent


def pages() -> dict[Path, str]:
    """Every generated file with what it ought to say."""
    return {
        DOCS / "commands.md": "\n".join(_commands()),
        DOCS / "settings.md": "\n".join(_settings()),
        DOCS / "milestones.md": milestone_page(),
        DOCS / "schema.md": schema_page(),
        Path(cli.HELP): help_text(),
    }


def told() -> list[Path]:
    """The pages with examples: people write them, and the answers on them are the program's."""
    return sorted(each for each in DOCS.glob("*.md") if "```console" in each.read_text("utf-8"))


# Commands -------------------------------------------------------------------------------------


def _commands() -> Iterator[str]:
    yield "# Commands\n"
    yield "Written from the program by `make docs`; `reminderd COMMAND --help` says the same.\n"
    yield "Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 failed or a"
    yield "check found something, 2 wrong usage, 3 partly done, 4 not found, 5 refused (consent,"
    yield "approval, safety), 75 try again later, 78 configuration, 130 interrupted.\n"
    root = click.Context(app, info_name="reminderd", help_option_names=["-h", "--help"])
    yield from _options(root)
    yield from _within(root)


def _within(parent: click.Context) -> Iterator[str]:
    group = parent.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        assert command is not None
        context = click.Context(command, info_name=name, parent=parent)
        if isinstance(command, click.Group):
            yield from _within(context)
        else:
            yield from _command(context)


def _command(context: click.Context) -> Iterator[str]:
    yield f"## {context.command_path}\n"
    pieces = context.command.collect_usage_pieces(context)
    yield f"`{' '.join([context.command_path, *pieces])}`\n"
    yield f"{_prose(context.command.help or '')}\n"
    yield from _options(context)


def _prose(text: str) -> str:
    paragraphs = text.replace("\b", "").strip().split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)


def _options(context: click.Context) -> Iterator[str]:
    options = [each for each in context.command.params if isinstance(each, click.Option)]
    records = [each.get_help_record(context) for each in options]
    shown = [each for each in records if each and "--help" not in each[0]]
    if shown:
        yield "| option | does |"
        yield "|---|---|"
        for names, what in shown:
            yield f"| `{_cell(names)}` | {_cell(what)} |"
        yield ""


# Settings -------------------------------------------------------------------------------------


def _settings() -> Iterator[str]:
    yield "# Settings\n"
    yield "Written from the program by `make docs`. The configuration is a TOML file, found at"
    yield "`--config`, `$REMINDERD_CONFIG`, `./config/reminderd.toml` or"
    yield "`/etc/reminderd/reminderd.toml`; relative paths in it are relative to it.\n"
    yield "A value comes from the environment (`REMINDERD_SECTION__KEY`), a systemd credential"
    yield "(`section.key`), a file (`KEY_file` in place of any `KEY`), the TOML file or its"
    yield "default, in this order. `reminderd config show --origin` says which.\n"
    schema = SettingsFormat.model_json_schema()
    definitions = schema["$defs"]
    for name, table in schema["properties"].items():
        if name == "transports":
            continue
        title = "clinics.NAME" if name == "clinics" else name
        yield from _section(title, definitions[_model(table)])
    for name, model in sorted(transport_models().items()):
        yield from _section(f"transports.{name}", model.model_json_schema())


def _model(table: dict[str, Any]) -> str:
    reference: str = table.get("additionalProperties", table)["$ref"]
    return reference.rpartition("/")[2]


def _section(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f"## [{name}]\n"
    if not name.startswith("transports."):
        yield f"{_prose(schema.get('description', ''))}\n"
    if not schema["properties"]:
        yield "Nothing to set.\n"
        return
    yield "| key | default | is |"
    yield "|---|---|---|"
    for key, value in schema["properties"].items():
        needed = key in schema.get("required", ())
        yield f"| `{key}` | {_default(value, needed)} | {_sentence(value.get('description', ''))} |"
    yield ""


def _default(value: dict[str, Any], needed: bool) -> str:
    if needed:
        return "required"
    match value.get("default"):
        case None:
            return ""
        case bool(choice):
            return f"`{str(choice).lower()}`"
        case str(text):
            return f'`"{text}"`'
        case number:
            return f"`{number}`"


def _sentence(text: str) -> str:
    return _cell(text[:1].upper() + text[1:].rstrip(".") + ".")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    for path in told():
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")
