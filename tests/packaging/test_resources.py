"""A damaged installation says what is missing and what to do."""

from pathlib import Path

import pytest

from reminderd import resources


def test_packaged_files_win_over_those_beside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "reminderd"
    monkeypatch.setattr(resources, "_PACKAGE", package)
    (tmp_path / "templates").mkdir()
    assert resources.templates_dir() == tmp_path / "templates"
    (package / "_data/templates").mkdir(parents=True)
    assert resources.templates_dir() == package / "_data/templates"


def test_a_damaged_installation_says_what_is_missing_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "reminderd")
    with pytest.raises(FileNotFoundError, match=r"systemd are missing.*install reminderd again"):
        resources.systemd_dir()
