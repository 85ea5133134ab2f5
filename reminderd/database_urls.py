"""Where a database lies: `sqlite:///file` on this machine, or `postgresql://user@host/name`.

A PostgreSQL URL may hold a password, so none of the errors here repeats it.
"""

import re
from pathlib import Path
from urllib.parse import quote, unquote

DEFAULT = "sqlite:///reminderd.db"
MASK = "********"
_SQLITE = "sqlite:///"
_POSTGRESQL = re.compile(
    r"postgres(?:ql)?://(?:[^:@/?#\s]*(?::(?P<password>[^@/?#\s]*))?@)?(?P<hosts>[^@/?#\s]*)"
    r"/(?P<name>[^@/?#\s]+)(?:\?(?P<options>[^@?#\s]*))?"
)
_PASSWORDS = re.compile(r"(?<=password=)[^&]+")


def checked(url: object) -> str:
    """The URL, if it says where a database is; raises ValueError with what it should say."""
    if not isinstance(url, str):
        raise ValueError("must be text in quotes")
    if is_distributed(url):
        if not _POSTGRESQL.fullmatch(url):
            raise ValueError(
                'must be of the form "postgresql://user@host/name"; in a password, write each of '
                "@ : / ? # and blanks as % and its code, or give it as password_file instead"
            )
        return url
    file = url.removeprefix(_SQLITE)
    if file == url or file.endswith("/") or file in ("", ":memory:"):
        raise ValueError(
            f'must name a file, such as "{DEFAULT}", or a server, "postgresql://user@host/name"'
        )
    return url


def is_distributed(url: str) -> bool:
    """Whether this names a server that many machines share."""
    return url.startswith(("postgresql://", "postgres://"))


def file_of(url: str, folder: Path) -> Path:
    """The file that a `checked` URL of SQLite names, relative to `folder`."""
    return folder / url.removeprefix(_SQLITE)


def place_of(typed: str, folder: Path) -> str:
    """The URL of a server, or the whole path of a file that is named by a URL or its path.

    Raises ValueError with what it should say.
    """
    url = checked(typed if "://" in typed else f"{_SQLITE}{typed}")
    return url if is_distributed(url) else str(file_of(url, folder))


def has_password(url: str) -> bool:
    """Whether a `checked` URL holds the password."""
    found = _POSTGRESQL.fullmatch(url)
    return bool(found and (found["password"] or _PASSWORDS.search(found["options"] or "")))


def with_password(url: str, password: str) -> str:
    """A `checked` URL of PostgreSQL with a password that was given apart from it."""
    return f"{url}{'&' if '?' in url else '?'}password={quote(password, safe='')}"


def masked(url: str) -> str:
    """A `checked` URL without the password that it may hold."""
    found = _POSTGRESQL.fullmatch(url)
    if found is None:
        return url
    if found["password"]:
        url = f"{url[: found.start('password')]}{MASK}{url[found.end('password') :]}"
    return _PASSWORDS.sub(MASK, url)


def shown(url: str) -> str:
    """Which database a `checked` URL of PostgreSQL means, for logs: its name and its host."""
    found = _POSTGRESQL.fullmatch(url)
    if found is None:
        return url
    return f"{unquote(found['name'])} on {unquote(found['hosts']) or 'this machine'}"
