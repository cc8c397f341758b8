"""Every block of README.md and docs/ that can run is run, and prints what it says.

The blocks of a page run from top to bottom in one empty folder that holds `iris.csv`,
`breast_cancer.csv` and `diabetes.csv`; its Python blocks share their names.

- `python`: executed; with `>>>` its output is compared.
- `console`: a line after `$ ` is a command and must succeed; what follows is compared with what it
  prints, `...` standing for anything. A command without lines after it may print anything.
- `toml name.toml`, `yaml name.yaml`, `csv name.csv`, `json name.json`: a file of that name.
- `sh`: what a reader types once, outside of Python; only its `make` targets are looked up.
- `text`, `math` and `mermaid`: for the eye; `pycon`: an example that is run where it is written.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import reference

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
FOR_THE_EYE = {"text", "math", "mermaid", "pycon"}
WRITES_FILE = {"toml", "yaml", "csv", "json"}
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
LINK = re.compile(r"\]\((?!https?:|mailto:|#)(?P<target>[^)#\s]+)")


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    kind: str
    name: str
    body: str

    @property
    def place(self) -> str:
        """Where the block starts."""
        return f"{self.page.relative_to(ROOT).as_posix()}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One command of a console block and what it should print."""

    line: str
    expected: str


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in FENCE.finditer(text):
        kind, _, name = found["info"].strip().partition(" ")
        yield Block(page, text.count("\n", 0, found.start()) + 1, kind, name, found["body"])


def commands(body: str) -> tuple[Command, ...]:
    """The commands of a console block; a line that ends in a backslash goes on.

    Example:
        >>> commands("$ a \\\\\\n  b\\nout\\n$ c\\n")
        (Command(line='a \\\\\\n  b', expected='out\\n'), Command(line='c', expected=''))
    """
    found = re.finditer(
        r"^\$ (?P<line>(?:[^\n]*\\\n)*[^\n]*)\n(?P<said>(?:(?!\$ )[^\n]*\n)*)", body, re.MULTILINE
    )
    return tuple(Command(match["line"], match["said"]) for match in found)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_runs_and_prints_what_it_says(
    page: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    iris_csv: Path,
    breast_cancer_csv: Path,
    diabetes_csv: Path,
) -> None:
    assert {iris_csv.parent, breast_cancer_csv.parent, diabetes_csv.parent} == {tmp_path}
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page):
        run_block(block, names, tmp_path)


def run_block(block: Block, names: dict[str, object], folder: Path) -> None:
    if block.kind == "python":
        run_python(block, names)
    elif block.kind == "console":
        for command in commands(block.body):
            run_command(command, block, folder)
    elif block.kind in WRITES_FILE:
        if block.name:
            (folder / block.name).write_text(block.body, encoding="utf-8")
    elif block.kind == "sh":
        assert not unknown_targets(block.body), block.place
    else:
        assert block.kind in FOR_THE_EYE, f"{block.place}: a fence of an unknown kind"


def run_python(block: Block, names: dict[str, object]) -> None:
    if ">>>" not in block.body:
        exec(compile("\n" * block.line + block.body, block.page, "exec"), names)
        return
    test = doctest.DocTestParser().get_doctest(
        block.body, names, block.place, str(block.page), block.line
    )
    said: list[str] = []
    outcome = doctest.DocTestRunner(optionflags=OPTIONS).run(
        test, out=said.append, clear_globs=False
    )
    names.update(test.globs)
    assert not outcome.failed, "".join(said)


def run_command(command: Command, block: Block, folder: Path) -> None:
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "COLUMNS": "100",
    }
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command.line],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    shown = f"{block.place}\n$ {command.line}\n{run.stdout}{run.stderr}"
    assert run.returncode == 0, f"{shown}\nexit code {run.returncode}"
    same = doctest.OutputChecker().check_output(command.expected, run.stdout, OPTIONS)
    assert same or not command.expected.strip(), f"{shown}\nexpected:\n{command.expected}"


def unknown_targets(body: str) -> list[str]:
    """The `make` targets of a block that the Makefile does not have.

    Example:
        >>> unknown_targets("make check\\nmake coffee PYTHON=python3.12\\n")
        ['coffee']
    """
    known = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    asked = re.findall(r"^make ([a-z]+)", body, re.MULTILINE)
    return [target for target in asked if target not in known]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_of_ours_leads_somewhere(page: Path) -> None:
    targets = [found["target"] for found in LINK.finditer(FENCE.sub("", page.read_text("utf-8")))]
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_the_reference_is_current() -> None:
    assert reference.PAGE.read_text("utf-8") == reference.render(), "run `make docs`"


def test_the_readme_names_the_demo_and_the_check() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert re.search(r"^ *make demo\b", readme, re.MULTILINE)
    assert re.search(r"^ *make check\b", readme, re.MULTILINE)


def test_continuous_integration_runs_what_the_readme_says() -> None:
    lines = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert lines[-1] == "make check"
