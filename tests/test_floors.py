"""The house rules that no linter knows: which file may do what."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from source import PACKAGE, ROOT, SourceFile, body_lines, calls, functions, imports, package_files

LONGEST_FILE = 300
LONGEST_FUNCTION = 40
FILES = package_files()
EXECUTES_DATA = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
EXECUTING_CALLS = {"eval", "exec", "compile", "__import__", "torch.load", "torch.save"}
TOUCHES_FILES = {
    "open",
    "read_bytes",
    "read_text",
    "write_text",
    "unlink",
    "touch",
    "NamedTemporaryFile",
    "TemporaryFile",
    "mkstemp",
}


def outside(folder: str) -> Iterator[SourceFile]:
    return (file for file in FILES if not file.name.startswith(f"{folder}/"))


def torch_free_modules() -> list[str]:
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    contract = next(item for item in linter["contracts"] if item["id"] == "torch-free")
    return sorted(
        module
        for source in contract["source_modules"]
        for module in _modules(PACKAGE.parent / source.replace(".", "/"))
    )


def _modules(stem: Path) -> Iterator[str]:
    files = stem.rglob("*.py") if stem.is_dir() else [stem.with_suffix(".py")]
    for file in files:
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        yield ".".join(part for part in parts if part != "__init__")


def loaded_by(statement: str, candidates: set[str]) -> set[str]:
    """Which of the candidates a fresh interpreter has loaded after the statement."""
    script = f"import sys\n{statement}\nprint(*sorted(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return candidates & set(run.stdout.split())


def test_imports_only_go_down_the_floors() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [linter, "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = {"torch", "polars", "sklearn", "numpy", "pandas", "pydantic", "click", "scipy"}
    assert loaded_by("import kdtab", heavy) == set()


def test_torch_free_modules_load_without_torch() -> None:
    statement = "\n".join(f"import {module}" for module in torch_free_modules())
    assert loaded_by(statement, {"torch", "h5py", "matplotlib"}) == set()


def test_one_place_in_the_package_goes_backward() -> None:
    places = [
        file.at(call)
        for file in FILES
        for name, call in calls(file.tree)
        if name.rpartition(".")[2] == "backward" or name == "torch.autograd.grad"
    ]
    assert len(places) <= 1, places
    assert all("shell/torch_step.py" in place for place in places), places


def test_nothing_executes_what_a_file_says() -> None:
    modules = [
        f"{file.at(node)} imports {name}"
        for file in FILES
        for name, node in imports(file.tree)
        if name.partition(".")[0] in EXECUTES_DATA
    ]
    called = [
        f"{file.at(call)} calls {name}"
        for file in FILES
        for name, call in calls(file.tree)
        if name in EXECUTING_CALLS or name.endswith("import_module")
    ]
    lazy_root = "src/kdtab/__init__.py"
    assert not modules + [place for place in called if not place.startswith(lazy_root)]


def test_only_disk_touches_files() -> None:
    places = [
        f"{file.at(call)} calls {name}"
        for file in outside("disk")
        for name, call in calls(file.tree)
        if name.rpartition(".")[2] in TOUCHES_FILES
        or name.startswith(("pl.read_", "pl.scan_", "polars.read_", "shutil.copy", "shutil.move"))
        or name in {"os.replace", "os.rename", "os.remove", "Path.write_bytes"}
        if not any(ast.unparse(argument) == "os.devnull" for argument in call.args)
    ]
    assert not places


def test_our_own_code_is_imported_at_the_top_of_a_file() -> None:
    places = [
        f"{file.at(node)} imports {name}"
        for file in outside("cli")
        if file.name != "__init__.py"
        for function in functions(file.tree)
        for name, node in imports(function)
        if name.partition(".")[0] == "kdtab"
    ]
    assert not places


def test_inner_init_files_are_empty() -> None:
    exempt = {"__init__.py", "losses/__init__.py"}
    full = [
        file.name
        for file in FILES
        if file.path.name == "__init__.py" and file.name not in exempt and file.text.strip()
    ]
    assert not full


def test_losses_init_only_exports() -> None:
    tree = next(file.tree for file in FILES if file.name == "losses/__init__.py")
    exports = ast.Expr | ast.ImportFrom | ast.Assign | ast.AnnAssign
    assert all(isinstance(node, exports) for node in tree.body)


def test_no_file_is_longer_than_can_be_read_at_once() -> None:
    lengths = {file.name: len(file.text.splitlines()) for file in FILES}
    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE}


def test_no_function_is_longer_than_a_page() -> None:
    long = [
        f"{file.at(function)} {function.name}: {body_lines(function)} lines"
        for file in FILES
        if file.name != "shell/loop.py"
        for function in functions(file.tree)
        if body_lines(function) > LONGEST_FUNCTION
    ]
    assert not long


def test_no_public_signature_says_any() -> None:
    places = [
        f"{file.at(function)} {function.name}"
        for file in FILES
        for function in functions(file.tree)
        if not function.name.startswith("_")
        for note in annotations_of(function)
        if any(isinstance(node, ast.Name) and node.id == "Any" for node in ast.walk(note))
    ]
    assert not places


def annotations_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    rules = function.args
    arguments = [*rules.posonlyargs, *rules.args, *rules.kwonlyargs, rules.vararg, rules.kwarg]
    notes = [argument.annotation for argument in arguments if argument is not None]
    return [note for note in [*notes, function.returns] if note is not None]


def test_no_file_is_a_drawer_for_leftovers() -> None:
    drawers = {"utils.py", "helpers.py", "common.py", "core.py", "misc.py"}
    assert not [file.name for file in FILES if file.path.name in drawers]


def test_no_public_function_has_the_name_of_its_module() -> None:
    places = [
        file.at(node)
        for file in FILES
        for node in file.tree.body
        if isinstance(node, ast.FunctionDef) and node.name == file.path.stem
    ]
    assert not [place for place in places if "cli/" not in place]


def test_a_recipe_never_imports_another() -> None:
    places = [
        f"{file.at(node)} imports {name}"
        for file in FILES
        if file.name.startswith("recipes/")
        for name, node in imports(file.tree)
        if name.startswith("kdtab.recipes.")
    ]
    assert not places
