"""Requirements, the tests that show them, and the page that says so.

python tests/traceability.py            write docs/traceability.md
python tests/traceability.py --check    fail where the page is not current
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "docs" / "requirements.toml"
PAGE = ROOT / "docs" / "traceability.md"

Requirements: TypeAlias = dict[str, dict[str, str]]

INTRODUCTION = """\
# Traceability

Which tests show which requirement. This page is generated from `docs/requirements.toml` and from
the `@pytest.mark.requirement(...)` marks of the tests: `make docs` writes it again. A requirement
without a test, or a mark with an unknown id, fails `make check`.
"""


@dataclass(frozen=True)
class Mark:
    """One test that says which requirement it shows.

    Example:
        >>> Mark("REQ-KD01", Path("tests/test_trainer.py"), "test_it").place
        'tests/test_trainer.py::test_it'
    """

    requirement: str
    file: Path
    test: str

    @property
    def place(self) -> str:
        """File and name, as pytest takes them."""
        return f"{self.file.as_posix()}::{self.test}"


def read_requirements(path: Path = REQUIREMENTS) -> Requirements:
    """What is required, by specification and id."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def read_marks(root: Path = ROOT) -> tuple[Mark, ...]:
    """Every mark of every test, in the order of files and lines."""
    files = sorted((root / "tests").rglob("test_*.py"))
    return tuple(mark for file in files for mark in marks_of(file.read_text("utf-8"), file, root))


def marks_of(source: str, file: Path, root: Path) -> Iterator[Mark]:
    """The marks of one file; those of a class count for each of its tests.

    Example:
        >>> source = '''
        ... @pytest.mark.requirement("REQ-KD01", "AC-KD01")
        ... def test_a(): ...
        ... '''
        >>> [mark.requirement for mark in marks_of(source, Path("/r/tests/test_a.py"), Path("/r"))]
        ['REQ-KD01', 'AC-KD01']
    """
    for node in ast.parse(source).body:
        yield from _marks(node, (), (), file.relative_to(root))


def _marks(
    node: ast.stmt, outer: tuple[str, ...], names: tuple[str, ...], file: Path
) -> Iterator[Mark]:
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return
    ids = (*outer, *(name for call in node.decorator_list for name in _ids(call)))
    if isinstance(node, ast.FunctionDef):
        yield from (Mark(name, file, "::".join((*names, node.name))) for name in ids)
        return
    for member in node.body:
        yield from _marks(member, ids, (*names, node.name), file)


def _ids(decorator: ast.expr) -> list[str]:
    if not isinstance(decorator, ast.Call):
        return []
    if ast.unparse(decorator.func) != "pytest.mark.requirement":
        return []
    return [str(ast.literal_eval(argument)) for argument in decorator.args]


def missing(requirements: Requirements, marks: tuple[Mark, ...]) -> tuple[str, ...]:
    """Requirements that no test shows.

    Example:
        >>> missing({"S": {"REQ-T01": "…"}}, ())
        ('REQ-T01',)
    """
    shown = {mark.requirement for mark in marks}
    return tuple(name for section in requirements.values() for name in section if name not in shown)


def unknown(requirements: Requirements, marks: tuple[Mark, ...]) -> tuple[str, ...]:
    """Marks that name no requirement, with their places.

    Example:
        >>> unknown({}, (Mark("REQ-T99", Path("tests/test_a.py"), "test_b"),))
        ('REQ-T99 (tests/test_a.py::test_b)',)
    """
    known = {name for section in requirements.values() for name in section}
    return tuple(
        f"{mark.requirement} ({mark.place})" for mark in marks if mark.requirement not in known
    )


def render(requirements: Requirements, marks: tuple[Mark, ...]) -> str:
    """The page: one table for each specification.

    Example:
        >>> print(render({"S": {"REQ-T01": "Seeded."}},
        ...              (Mark("REQ-T01", Path("tests/test_a.py"), "test_b"),)).splitlines()[-1])
        | REQ-T01 | Seeded. | [test_a::test_b](../tests/test_a.py) |
    """
    parts = [INTRODUCTION.rstrip()]
    for title, section in requirements.items():
        rows = [_row(name, what, marks) for name, what in section.items()]
        parts.append("\n".join([f"## {title}\n", "| id | what | tests |", "|---|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _row(name: str, what: str, marks: tuple[Mark, ...]) -> str:
    tests = [
        f"[{mark.file.stem}::{mark.test}](../{mark.file.as_posix()})"
        for mark in marks
        if mark.requirement == name
    ]
    return f"| {name} | {what} | {'<br>'.join(tests) or 'none yet'} |"


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` say whether it is current."""
    page = render(read_requirements(), read_marks())
    if arguments != ["--check"]:
        PAGE.write_text(page, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text("utf-8") == page:
        return 0
    print(f"{PAGE.relative_to(ROOT)} is not current: run `make docs`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
