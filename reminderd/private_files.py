"""Files that nobody but their owner is to read."""

from pathlib import Path

from reminderd.findings import Finding, fine, problem


def private(path: Path, why: str) -> Finding:
    """Whether a file is closed to everybody but its owner; `why` it has to be."""
    found = path.stat().st_mode & 0o777
    if found & 0o077:
        return problem(
            "permissions",
            f"{path} {why} and is open to others (mode {found:04o})",
            f"Close it: chmod 0600 {path}",
        )
    return fine("permissions", f"{path} is closed to others")
