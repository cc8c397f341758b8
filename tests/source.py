"""The package's own source as syntax trees, for the tests that read code instead of running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "kdtab"

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class SourceFile:
    """One file of the package, parsed."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """The path under the package, `disk/tables.py`."""
        return self.path.relative_to(PACKAGE).as_posix()

    def at(self, node: ast.stmt | ast.expr) -> str:
        """Where a node stands, as an editor opens it."""
        return f"src/kdtab/{self.name}:{node.lineno}"


def package_files() -> tuple[SourceFile, ...]:
    """Every file of the package, sorted."""
    return tuple(
        SourceFile(path, text := path.read_text("utf-8"), ast.parse(text))
        for path in sorted(PACKAGE.rglob("*.py"))
    )


def functions(tree: ast.AST) -> Iterator[Function]:
    """Every function and method, nested ones included."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call with what is called, `torch.load`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def imports(tree: ast.AST) -> Iterator[tuple[str, ast.stmt]]:
    """Every import with its full name, `from a import b` as `a.b`.

    Example:
        >>> [name for name, _ in imports(ast.parse("import a.b; from c import d"))]
        ['a.b', 'c.d']
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def body_lines(function: Function) -> int:
    """Lines from the first statement to the last, the docstring not counted.

    Example:
        >>> body_lines(next(functions(ast.parse("def f():\\n    'doc'\\n    a = 1\\n    return a"))))
        2
    """
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1
