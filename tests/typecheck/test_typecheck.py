"""What mypy must accept and what it must refuse, line by line.

A file of `cases` is checked as a user's file would be. A line that must be refused ends in
`# E: code` and may go on with a part of the message (mypy may have more to say of that line); one
that reveals a type in `# N: type`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CASES = sorted((Path(__file__).parent / "cases").glob("*.py"))
SAID = re.compile(r"(?P<file>[^:]+):(?P<line>\d+): (?P<kind>error|note): (?P<text>.*)")
ERROR = re.compile(r"(?P<message>.*)  \[(?P<code>[a-z-]+)\]$")
EXPECTED = re.compile(r"# (?P<kind>[EN]): (?P<text>.*)$")


@pytest.fixture(scope="session")
def answer() -> dict[str, list[tuple[int, str, str]]]:
    """What mypy says of all cases: for each file its lines, kinds and texts."""
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", *CASES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    said: dict[str, list[tuple[int, str, str]]] = {case.name: [] for case in CASES}
    for line in run.stdout.splitlines():
        if found := SAID.match(line):
            place = (int(found["line"]), found["kind"], found["text"])
            said.setdefault(Path(found["file"]).name, []).append(place)
    assert run.returncode < 2, run.stdout + run.stderr
    return said


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_mypy_refuses_exactly_the_marked_lines(
    case: Path, answer: dict[str, list[tuple[int, str, str]]]
) -> None:
    expected = expectations(case.read_text("utf-8"))
    unexpected = [
        f"{case.name}:{line}: {text}"
        for line, kind, text in answer[case.name]
        if (kind == "error" and not expected.get(line, "").startswith("E"))
        or (text.startswith("Revealed") and not says(expected.get(line, ""), kind, text))
    ]
    unsaid = [
        f"{case.name}:{line}: expected {wanted}"
        for line, wanted in expected.items()
        if not any(says(wanted, kind, text) for at, kind, text in answer[case.name] if at == line)
    ]
    assert not unexpected + unsaid, "\n".join(["", *unexpected, *unsaid])


def expectations(source: str) -> dict[int, str]:
    """The marked lines, `E: code part of the message` by number.

    Example:
        >>> expectations("a = 1\\nb: int = ''  # E: assignment")
        {2: 'E: assignment'}
    """
    lines = enumerate(source.splitlines(), start=1)
    return {
        number: f"{found['kind']}: {found['text']}"
        for number, line in lines
        if (found := EXPECTED.search(line))
    }


def says(wanted: str, kind: str, text: str) -> bool:
    """Whether mypy's words are the expected ones.

    Example:
        >>> says("E: arg-type expected \\"int\\"", "error", "…; expected \\"int\\"  [arg-type]")
        True
        >>> says("N: builtins.int", "note", 'Revealed type is "builtins.int"')
        True
    """
    mark, _, rest = wanted.partition(": ")
    if mark == "N":
        return kind == "note" and text == f'Revealed type is "{rest}"'
    code, _, part = rest.partition(" ")
    found = ERROR.match(text)
    return kind == "error" and found is not None and found["code"] == code and part in text
