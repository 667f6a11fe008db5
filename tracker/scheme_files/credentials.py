"""Reads config/credentials.toml, the catalog of credentials; mistakes name line, key and rule."""

from __future__ import annotations

from pathlib import Path

from tracker.domain.schemes.credentials import CredentialCatalog, CredentialKind
from tracker.scheme_files import tomls
from tracker.scheme_files.mistakes import Mistake, SchemesRefusedError
from tracker.scheme_files.tables import Special, Tables
from tracker.scheme_files.values import Data


def _entry(data: Data) -> Data:
    """The attributes as they are: the catalog adds the code."""
    return data


def _catalog(data: Data) -> CredentialCatalog:
    """The kinds, each with its own code."""
    kinds = {code: CredentialKind(code, **entry) for code, entry in data["by_code"].items()}
    return CredentialCatalog(**{**data, "by_code": kinds})


_CATALOG = Tables({CredentialKind: Special(_entry), CredentialCatalog: Special(_catalog)}).of(
    CredentialCatalog
)


def load(path: Path) -> CredentialCatalog:
    """Read the catalog. Raises SchemesRefusedError with every mistake in it."""
    found: list[Mistake] = []
    file = tomls.parse(path, found)
    loaded = tomls.build(_CATALOG(), file, found) if file else None
    if loaded is None or found:
        raise SchemesRefusedError(found)
    return loaded  # type: ignore[no-any-return]
