"""The house stays small, speaks plainly, and reads the clock in one place."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "reminderd"
FILES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted(Path(__file__).parents[1].rglob("*.py"))
DRAWERS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
CLOCKS = {"now", "utcnow", "today", "time", "time_ns"}

each_file = pytest.mark.parametrize(
    "file", FILES, ids=[file.relative_to(PACKAGE).as_posix() for file in FILES]
)


def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def wall_clocks(module: ast.Module) -> Iterator[int]:
    """The lines that call `datetime.now()`, `date.today()`, `time.time()` and their like."""
    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)) if (
                owner in {"datetime", "date", "time"} and name in CLOCKS
            ):
                yield node.lineno


@each_file
def test_a_file_fits_one_sitting(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 400


def test_a_file_of_tests_fits_one_sitting_too() -> None:
    lengths = {each.name: len(each.read_text("utf-8").splitlines()) for each in TESTS}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


@each_file
def test_a_function_fits_one_glance(file: Path) -> None:
    long = [
        f"{each.name}: {length} lines"
        for each in functions(file)
        if (length := (each.end_lineno or 0) - each.lineno + 1) > 45
    ]
    assert long == []


@each_file
def test_no_name_stands_for_anything_at_all(file: Path) -> None:
    assert not DRAWERS & set(file.relative_to(PACKAGE).with_suffix("").parts)


@each_file
def test_only_the_clock_reads_the_wall_clock(file: Path) -> None:
    lines = list(wall_clocks(tree(file)))
    assert bool(lines) is (file.name == "clock.py"), f"lines {lines}"


@each_file
def test_a_module_says_what_it_is_for(file: Path) -> None:
    source = tree(file)
    assert ast.get_docstring(source) or not source.body


@each_file
def test_nothing_is_left_for_later(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not [word for word in ("TODO", "FIXME", "XXX", "NotImplementedError") if word in text]
