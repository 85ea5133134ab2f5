"""Installed in any way, outside the checkout, reminderd finds what it ships with."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
ASK = """
import json, reminderd
from reminderd import resources
places = {name: getattr(resources, name)() for name in
          ("templates_dir", "config_dir", "protocols_dir", "systemd_dir")}
print(json.dumps({
    "package": reminderd.__file__,
    "files": sorted(f"{name}/{file.relative_to(place).as_posix()}" for name, place in places.items()
                    for file in place.rglob("*") if file.is_file()),
}))
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment outside the checkout."""

    folder: Path

    def run(self, program: str, *arguments: str) -> str:
        """Run one of its programs, away from the checkout and without its surroundings."""
        environ = {"PATH": os.defpath, "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            [str(self.folder / "bin" / program), *arguments],
            cwd=self.folder, env=environ, check=False, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def site_packages(self) -> Path:
        return Path(sysconfig.get_path("purelib", "venv", vars={"base": str(self.folder)}))


def install(folder: Path, *what: str) -> Environment:
    """A new environment with reminderd from `what`; dependencies are those of this one."""
    environment = Environment(folder)
    venv.create(folder, with_pip=False)
    # A folder named in a .pth file lends its packages, but not its own editable installations.
    borrowed = sysconfig.get_path("purelib")
    (environment.site_packages / "dependencies.pth").write_text(borrowed + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin/python"), "--quiet"]
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed"]
    subprocess.run([*pip, "--disable-pip-version-check", "install", *options, *what], check=True)
    return environment


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist of this checkout, and the wheel that was built from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(folder.glob("*.tar.gz")), next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def from_wheel(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return install(tmp_path_factory.mktemp("wheel") / "venv", str(built[1]))


def shipped() -> list[str]:
    """What the checkout has to ship, as `ASK` names it."""
    places = {
        "templates_dir": "templates",
        "config_dir": "config",
        "protocols_dir": "config/protocols",
        "systemd_dir": "systemd",
    }
    return sorted(
        f"{name}/{file.relative_to(ROOT / place).as_posix()}"
        for name, place in places.items()
        for file in (ROOT / place).rglob("*")
        if file.is_file()
    )


def test_a_wheel_finds_its_templates_protocols_and_units(from_wheel: Environment) -> None:
    found = json.loads(from_wheel.run("python", "-c", ASK))
    assert Path(found["package"]).is_relative_to(from_wheel.folder)
    assert found["files"] == shipped()
    assert "protocols_dir/mesotherapy.toml" in found["files"]


def test_a_wheel_has_every_step_of_the_database(from_wheel: Environment) -> None:
    code = "from reminderd.engines.distributed.steps import OWN_STEPS; print(len(OWN_STEPS))"
    files = (ROOT / "reminderd/engines/distributed/migrations").glob("*.sql")
    assert int(from_wheel.run("python", "-c", code)) == len(list(files))


def test_an_sdist_installs_with_the_same_files(built: tuple[Path, Path], tmp_path: Path) -> None:
    environment = install(tmp_path / "venv", str(built[0]))
    found = json.loads(environment.run("python", "-c", ASK))
    assert Path(found["package"]).is_relative_to(environment.folder)
    assert found["files"] == shipped()


def test_an_editable_installation_uses_the_files_of_the_checkout(tmp_path: Path) -> None:
    environment = install(tmp_path / "venv", "--editable", str(ROOT))
    found = json.loads(environment.run("python", "-c", ASK))
    assert Path(found["package"]).is_relative_to(ROOT)
    assert found["files"] == shipped()


def test_an_installed_wheel_runs_the_demo(from_wheel: Environment) -> None:
    assert "shower" in from_wheel.run("reminderd", "demo").lower()


def test_an_sdist_holds_what_its_own_tests_need(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert {
        "Makefile",
        "constraints.txt",
        "pyproject.toml",
        "tests/packaging/test_wheel.py",
    } <= names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


def test_a_wheel_holds_the_package_and_nothing_beside_it(built: tuple[Path, Path]) -> None:
    with ZipFile(built[1]) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top.split("-")[0] for top in tops} == {"reminderd"}
