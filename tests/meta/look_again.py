"""What to look at again, long functions and long files: ``python -m tests.meta.look_again``.

Length is a hint and no gate: a long list of plain values is easy to read, a long argument is not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONG_FUNCTION = 25  # lines besides the docstring
LONG_FILE = 400


def main() -> None:
    """Print the longest first, a line each."""
    found = [line for path in sorted((ROOT / "tracker").rglob("*.py")) for line in _long(path)]
    for length, place in sorted(found, reverse=True):
        print(f"{length:5}  {place}")  # noqa: T201 - asked for


def _long(path: Path) -> Iterator[tuple[int, str]]:
    source, place = path.read_text("utf-8"), path.relative_to(ROOT).as_posix()
    if (lines := len(source.splitlines())) > LONG_FILE:
        yield lines, place
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = length(node)
            if lines > LONG_FUNCTION:
                yield lines, f"{place}:{node.lineno} {node.name}"


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function without those of its docstring."""
    has_docstring = ast.get_docstring(node) is not None
    begins = node.body[0].end_lineno if has_docstring else node.lineno - 1
    return (node.end_lineno or 0) - (begins or 0)


if __name__ == "__main__":
    main()
