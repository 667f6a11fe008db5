"""What the doctor says about private files: their permissions, and the keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import make_url

from tracker.services.overview.findings import DoctorFinding
from tracker.settings import Settings

_OTHERS = 0o077
_SHORTEST_KEY = 32  # bytes: the output size of HMAC-SHA256


def of_files(chosen: Settings) -> Iterator[DoctorFinding]:
    """Whether others can read the database, the evidence or the keys; whether a key is short."""
    wide = [path for path in _private(chosen) if path.stat().st_mode & _OTHERS]
    if wide:
        shown = ", ".join(f"{path} ({path.stat().st_mode & 0o777:o})" for path in wide[:5])
        names = " ".join(map(str, wide))
        detail = f"other users can read {shown}"
        yield DoctorFinding("files", "warning", detail, f"chmod -R go= {names}")
    else:
        yield DoctorFinding(
            "files", "ok", "only this user can read the database, evidence and keys"
        )
    short = [key for key in _keys(chosen) if key.stat().st_size < _SHORTEST_KEY]
    if short:
        detail = f"shorter than {_SHORTEST_KEY} bytes: {', '.join(map(str, short))}"
        fix = "Write random bytes there (head -c 32 /dev/urandom), or restore the original key."
        yield DoctorFinding("keys", "warning", detail, fix)


def _private(chosen: Settings) -> Iterator[Path]:
    """The private files that exist. A folder stands for its content, except the keys' folder."""
    storage = chosen.storage_directory
    known = [storage / "keys", *_keys(chosen), storage / "evidence", *_database(chosen)]
    return (path for path in known if path.exists())


def _keys(chosen: Settings) -> list[Path]:
    return sorted((chosen.storage_directory / "keys").glob("*.key"))


def _database(chosen: Settings) -> list[Path]:
    """The files of an SQLite database."""
    url = make_url(chosen.database.url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return []
    return [Path(f"{url.database}{end}") for end in ("", "-wal", "-shm")]
