"""Where the files that ship with reminderd are, however it was installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def templates_dir() -> Path:
    """The packaged `templates/`; raises FileNotFoundError where the installation lacks it."""
    return _shipped("templates")


def config_dir() -> Path:
    """The packaged `config/`; raises FileNotFoundError where the installation lacks it."""
    return _shipped("config")


def protocols_dir() -> Path:
    """The packaged `config/protocols/`; raises FileNotFoundError as `config_dir`."""
    return config_dir() / "protocols"


def replies_dir() -> Path:
    """The packaged `config/replies/`; raises FileNotFoundError as `config_dir`."""
    return config_dir() / "replies"


def systemd_dir() -> Path:
    """The packaged `systemd/`; raises FileNotFoundError where the installation lacks it."""
    return _shipped("systemd")


def _shipped(name: str) -> Path:
    """Inside the package in a wheel, beside it in a checkout."""
    places = (_PACKAGE / "_data" / name, _PACKAGE.parent / name)
    for place in places:
        if place.is_dir():
            return place
    looked_in = " and ".join(str(place) for place in places)
    raise FileNotFoundError(
        f"reminderd's own {name} are missing: looked in {looked_in}; install reminderd again"
    )
