"""Every public name says what it is, what goes in, what comes out, and shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from source import SourceFile, package_files

NOTHING = {None, "None", "NoReturn"}


@dataclass(frozen=True)
class Documented:
    """A public class, function, method or property, and what its docstring owes."""

    place: str
    name: str
    docstring: str | None
    arguments: tuple[str, ...] = ()
    returns: bool = False
    example: bool = True


def documented(file: SourceFile) -> Iterator[Documented]:
    """Everything public of one file, in the order of its lines."""
    for node in file.tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield from _function(file, node, node.name, in_protocol=False)
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield Documented(file.at(node), node.name, ast.get_docstring(node))
            yield from _members(file, node)


def _members(file: SourceFile, owner: ast.ClassDef) -> Iterator[Documented]:
    in_protocol = any("Protocol" in ast.unparse(base) for base in owner.bases)
    for node in owner.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield from _function(file, node, f"{owner.name}.{node.name}", in_protocol=in_protocol)


def _function(
    file: SourceFile, node: ast.FunctionDef, name: str, *, in_protocol: bool
) -> Iterator[Documented]:
    """What a function owes; a command's docstring is its `--help`, so that is exempt."""
    marks = {ast.unparse(mark).partition("(")[0] for mark in node.decorator_list}
    if marks & {"overload", "typing.overload"} or any(mark.endswith(".setter") for mark in marks):
        return
    is_command = any(mark.endswith((".command", ".group")) for mark in marks)
    is_property = bool(marks & {"property", "cached_property", "functools.cached_property"})
    outcome = ast.unparse(node.returns) if node.returns else None
    yield Documented(
        file.at(node),
        name,
        ast.get_docstring(node),
        arguments=() if is_command else _arguments(node, "." in name, marks),
        returns=not is_command and not is_property and outcome not in NOTHING,
        example=not is_command and not in_protocol,
    )


def _arguments(node: ast.FunctionDef, is_method: bool, marks: set[str]) -> tuple[str, ...]:
    rules = node.args
    positional = [*rules.posonlyargs, *rules.args]
    if is_method and "staticmethod" not in marks:
        positional = positional[1:]
    rest = [rules.vararg, *rules.kwonlyargs, rules.kwarg]
    return tuple(item.arg for item in [*positional, *rest] if item and item.arg[0] != "_")


def problems(item: Documented) -> Iterator[str]:
    """What is missing of a docstring.

    Example:
        >>> list(problems(Documented("a.py:1", "f", "One line.", arguments=("x",))))
        ["no 'Example:' with a >>>", "no 'Args:' for x"]
    """
    if item.docstring is None:
        yield "no docstring"
        return
    lines = item.docstring.splitlines()
    if not lines[0].strip() or (len(lines) > 1 and lines[1].strip()):
        yield "its first paragraph is not one line"
    if item.example and ">>>" not in section(item.docstring, "Example"):
        yield "no 'Example:' with a >>>"
    described = section(item.docstring, "Args")
    absent = [name for name in item.arguments if not re.search(rf"\*?\b{name}\b.*:", described)]
    if absent:
        yield f"no 'Args:' for {', '.join(absent)}"
    if item.returns and not (
        section(item.docstring, "Returns") or section(item.docstring, "Yields")
    ):
        yield "no 'Returns:'"


def section(docstring: str, title: str) -> str:
    """The indented text under a heading of a Google-style docstring, or nothing.

    Example:
        >>> section("One.\\n\\nArgs:\\n    x: It.\\n\\nReturns:\\n    That.", "Args").strip()
        'x: It.'
    """
    found = re.search(rf"^{title}s?:\n((?:[ \t]+.*\n?|\n)*)", docstring, re.MULTILINE)
    return found.group(1) if found else ""


@pytest.mark.parametrize("file", package_files(), ids=lambda file: file.name)
def test_everything_public_is_documented_with_an_example(file: SourceFile) -> None:
    offenders = [
        f"{item.place} {item.name}: {problem}"
        for item in documented(file)
        for problem in problems(item)
    ]
    assert not offenders, "\n" + "\n".join(offenders)


@pytest.mark.parametrize("file", package_files(), ids=lambda file: file.name)
def test_every_file_says_what_it_holds(file: SourceFile) -> None:
    is_inner_init = file.name.endswith("/__init__.py")
    assert is_inner_init or ast.get_docstring(file.tree)
