"""The group: help, exit codes, and what is said when all else fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from returns.result import Result, Success

from cli.conftest import kdtab
from kdtab.cli import group as door
from kdtab.cli.console import Answer
from kdtab.cli.exits import Exit
from kdtab.cli.later import LaterCommand
from kdtab.cli.main import main
from kdtab.errors.issue import Issues

HEAVY = "{'torch', 'polars', 'sklearn', 'numpy', 'safetensors'}"


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["distill", "-h"]])
def test_help_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    code = (
        f"import sys\nfrom kdtab.cli.main import main\nassert main({arguments!r}) == 0\n"
        f"assert not {HEAVY} & set(sys.modules), set(sys.modules)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert ">>>" not in run.stdout


def test_every_command_has_a_short_help_that_is_not_cut() -> None:
    helps = [command.get_short_help_str(60) for command in door.kdtab.commands.values()]
    assert len(helps) == 8
    assert not [text for text in helps if text.endswith("...")]


@pytest.mark.parametrize("name", door.kdtab.commands)
def test_the_list_of_commands_says_what_each_says_of_itself(name: str) -> None:
    listed = door.kdtab.commands[name]
    assert isinstance(listed, LaterCommand)
    assert (name, listed.get_short_help_str(60)) == (
        listed.command().name,
        listed.command().get_short_help_str(60),
    )


def test_the_list_of_commands_needs_none_of_them(tmp_path: Path) -> None:
    """Making the flags of a command means making the models of its configs."""
    code = (
        "import sys\nfrom kdtab.cli.main import main\nassert main(['--help']) == 0\n"
        "ours = {name for name in sys.modules if name.startswith('kdtab.')}\n"
        "assert all(name.startswith('kdtab.cli') for name in ours), ours\n"
        "assert not {'pydantic', 'kdtab.cli.train'} & set(sys.modules)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "Train a network on TABLE and save it." in run.stdout


def test_the_end_of_the_process_looks_through_nothing(tmp_path: Path) -> None:
    """Looking for garbage among all that was imported takes a tenth of a short command."""
    code = (
        "import gc, sys\nfrom kdtab.cli.main import main\nbefore = gc.get_threshold()\n"
        "assert main(['--version']) == 0\n"
        "assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)\n"  # a caller's own
        "sys.argv = ['kdtab', '--version']\nassert main() == 0\n"
        "assert gc.isenabled() and gc.get_threshold()[0] > before[0]\n"
        "assert len(gc.get_objects()) < gc.get_freeze_count() / 10\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_flags_are_completed_though_their_command_is_elsewhere(tmp_path: Path) -> None:
    asked = {
        "_KDTAB_COMPLETE": "bash_complete",
        "COMP_WORDS": "kdtab train --epo",
        "COMP_CWORD": "2",
    }
    run = subprocess.run(
        [Path(sys.executable).with_name("kdtab")],
        cwd=tmp_path, env={**os.environ, **asked}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.stdout.split() == ["plain,--epochs"]


def test_a_misspelt_command_is_met_with_the_one_that_was_meant(tmp_path: Path) -> None:
    run = kdtab("trian", folder=tmp_path)
    assert run.code == 2
    assert run.err == "error: no such command 'trian'. Did you mean 'train'? See `kdtab --help`\n"


def test_a_wrong_command_line_is_json_too_when_asked(tmp_path: Path) -> None:
    run = kdtab("train", "--json", folder=tmp_path)
    assert run.code == 2
    assert json.loads(run.out) == {
        "error": [
            {"kind": "USAGE", "message": "missing argument 'TABLE'. See `kdtab train --help`"}
        ]
    }


def test_kdtab_alone_shows_the_help(tmp_path: Path) -> None:
    run = kdtab(folder=tmp_path)
    assert run.code == 2
    assert "Try `kdtab demo` first" in run.err


def test_the_console_script_is_the_same_command(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("kdtab")
    said = [
        subprocess.run([*command, "--version"], capture_output=True, check=True, cwd=tmp_path)
        for command in ([str(script)], [sys.executable, "-m", "kdtab"])
    ]
    assert said[0].stdout == said[1].stdout
    assert said[0].stdout.startswith(b"kdtab ")


@pytest.fixture
def with_command(monkeypatch: pytest.MonkeyPatch) -> click.Group:
    """The group with room for a command of a test."""
    group = click.Group("kdtab", commands=dict(door.kdtab.commands))
    monkeypatch.setattr(door, "kdtab", group)
    return group


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), Exit.INTERRUPTED, "error: interrupted\n"),
        (MemoryError(), Exit.DISK, "error: not enough memory: use a smaller batch_size"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
            Exit.DISK,
            "error: not enough memory: use a smaller batch_size",
        ),
        (RuntimeError("odd"), Exit.BUG, "error: this is a mistake in kdtab"),
        (ZeroDivisionError(), Exit.BUG, "error: this is a mistake in kdtab"),
    ],
)
def test_what_a_command_raises_becomes_a_code_and_a_sentence(
    error: BaseException,
    code: Exit,
    said: str,
    with_command: click.Group,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @with_command.command("break")
    def fail_always() -> Result[Answer, Issues]:
        raise error

    assert main(["break"]) == code
    heard = capsys.readouterr()
    assert said in heard.err
    assert ("Traceback" in heard.err) == (code is Exit.BUG)
    assert heard.out == ""


def test_notes_go_to_stderr_and_results_to_stdout(
    with_command: click.Group, capsys: pytest.CaptureFixture[str]
) -> None:
    @with_command.command("tell")
    def tell() -> Result[Answer, Issues]:
        return Success(Answer(text="é 1\n", plain={"one": 1}, notes=("look here",)))

    assert main(["tell"]) == Exit.DONE
    heard = capsys.readouterr()
    assert (heard.out, heard.err) == ("é 1\n", "note: look here\n")


def test_an_error_that_ctrl_c_became_is_still_an_interrupt(
    with_command: click.Group, capsys: pytest.CaptureFixture[str]
) -> None:
    @with_command.command("break")
    def fail_always() -> Result[Answer, Issues]:
        raise ImportError("partially initialized module")

    assert door.run(["break"], lambda: True) == Exit.INTERRUPTED
    assert capsys.readouterr().err == "error: interrupted\n"


@pytest.mark.parametrize("seconds", [1.0, 2.0])
def test_ctrl_c_while_the_command_starts_is_one_line(seconds: float, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kdtab", "demo", "--folder", "demo"]
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        time.sleep(seconds)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=300)
    assert (running.returncode, said) == (130, "error: interrupted\n")
