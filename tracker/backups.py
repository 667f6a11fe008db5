"""Backups: the database as of one moment, the files and keys beside it, and a manifest of digests.

A backup is a folder. ``database`` is a copy of the SQLite file, or an archive that ``pg_dump``
made; ``files`` holds what is in ``storage.directory``; ``manifest.json`` has the digest of each.
The database is copied first, since the files that it names were there before it named them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from sqlalchemy import URL, Engine, inspect

_DATABASE, _FILES, _MANIFEST = "database", "files", "manifest.json"
_SECRET = ("keys", "checkpoints")


class BackupRefused(Exception):  # noqa: N818 - a refusal is an answer, not a malfunction
    """A backup or a restore can't be made; the text says why and how to go on."""


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """What a backup is of: the database's dialect and newest migration, its instant, its files."""

    dialect: str
    migration: str | None
    made_at: str
    digests: Mapping[str, str]


def write(
    engine: Engine, storage: Path, into: Path, *, migration: str | None, made_at: str, keys: bool
) -> BackupManifest:
    """Make a backup in a new or an empty folder; whole, or not at all.

    ``keys`` says whether the keys and checkpoints beside the evidence are part of it.
    Raises BackupRefused.
    """
    _check_empty(into)
    if into.resolve().is_relative_to(storage):
        raise BackupRefused(f"{into} is in the directory that is backed up: name one elsewhere.")
    beside = into.absolute().with_name(f".{into.absolute().name}.{os.getpid()}.part")
    beside.mkdir(parents=True)
    try:
        _copy_database(engine, beside / _DATABASE)
        for file in _stored(storage, engine.url, apart=() if keys else _SECRET):
            with suppress(FileNotFoundError):  # removed meanwhile, and on purpose
                _copy(file, beside / _FILES / file.relative_to(storage))
        digests = {str(path): digest for path, digest in _digests(beside)}
        made = BackupManifest(engine.dialect.name, migration, made_at, digests)
        (beside / _MANIFEST).write_bytes(orjson.dumps(asdict(made), option=orjson.OPT_INDENT_2))
        if into.exists():
            into.rmdir()
        beside.rename(into.absolute())
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return made


def restore(engine: Engine, storage: Path, source: Path) -> BackupManifest:
    """Put a backup in place of an empty database and an empty storage directory.

    Raises BackupRefused, before anything is written if the backup is not as it was made.
    """
    made = _verified(source)
    if made.dialect != engine.dialect.name:
        raise BackupRefused(f"The backup is of {made.dialect}, and the database is not.")
    _check_empty(storage)
    if _has_tables(engine):
        raise BackupRefused("The database has tables already: restore into an empty one.")
    engine.dispose()
    _put_database(engine.url, source / _DATABASE)
    for file in _all_files(source / _FILES):
        _copy(file, storage / file.relative_to(source / _FILES))
    return made


def _check_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupRefused(f"{folder} is not empty: name a new or an empty folder.")


def _has_tables(engine: Engine) -> bool:
    file = engine.url.database
    if engine.dialect.name == "sqlite" and not (file and Path(file).exists()):
        return False
    return bool(inspect(engine).get_table_names())


def _verified(source: Path) -> BackupManifest:
    try:
        made = BackupManifest(**orjson.loads((source / _MANIFEST).read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise BackupRefused(f"{source} is no backup: its {_MANIFEST} can't be read.") from error
    found = {str(path): digest for path, digest in _digests(source)}
    if wrong := sorted(found.items() ^ made.digests.items()):
        raise BackupRefused(f"The backup is not as it was made: {wrong[0][0]} was changed.")
    return made


def _digests(folder: Path) -> Iterator[tuple[Path, str]]:
    for file in _all_files(folder):
        if file != folder / _MANIFEST:
            with file.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            yield file.relative_to(folder), digest


def _all_files(folder: Path) -> Iterator[Path]:
    return (one for one in sorted(folder.rglob("*")) if one.is_file())


def _stored(storage: Path, url: URL, *, apart: tuple[str, ...]) -> Iterator[Path]:
    """The files of the storage directory, without the database, if that is one of them."""
    own: set[Path] = set()
    if url.drivername.startswith("sqlite"):
        own = {Path(f"{url.database}{end}").resolve() for end in ("", "-wal", "-shm")}
    for file in _all_files(storage):
        if file not in own and file.relative_to(storage).parts[0] not in apart:
            yield file


def _copy(file: Path, to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, to)


def _copy_database(engine: Engine, to: Path) -> None:
    if engine.dialect.name == "postgresql":
        _run("pg_dump", engine.url, "--format=custom", f"--file={to}")
        return
    with (
        closing(sqlite3.connect(str(engine.url.database))) as source,
        closing(sqlite3.connect(to)) as copy,
    ):
        source.backup(copy)


def _put_database(url: URL, file: Path) -> None:
    if url.drivername.startswith("sqlite"):
        _copy(file, Path(str(url.database)))
    else:
        _run("pg_restore", url, "--single-transaction", "--exit-on-error", str(file))


def _run(program: str, url: URL, *options: str) -> None:
    """Run a program of PostgreSQL's; the password is in its environment, where nobody lists it."""
    found = shutil.which(program)
    if found is None:
        raise BackupRefused(f"{program} is not installed: add PostgreSQL's client programs.")
    plain = url.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}
    rights = ("--no-owner", "--no-privileges")
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL's with options of our own
        [found, *rights, f"--dbname={plain}", *options],
        env=os.environ | secret,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupRefused(f"{program} failed: {done.stderr.strip()}")
