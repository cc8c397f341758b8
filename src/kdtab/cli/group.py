"""The `kdtab` command: what it is told, what it prints, and the code it ends with."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeAlias, assert_never

import click

from kdtab.cli.exits import Exit
from kdtab.cli.later import LaterCommand, without_example

if TYPE_CHECKING:  # what only an outcome needs is imported with it
    from kdtab.cli.console import Answer
    from kdtab.errors.issue import Issues

Name: TypeAlias = Literal[
    "demo", "train", "distill", "label", "predict", "compare", "inspect", "run"
]
OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "not enough memory")
SUMMARIES: dict[Name, str] = {
    "demo": "Run the whole road on a real table in seconds.",
    "train": "Train a network on TABLE and save it.",
    "distill": "Train a smaller network on what a teacher knows.",
    "label": "Write what a teacher says of all rows of TABLE.",
    "predict": "Predict the rows of TABLE.",
    "compare": "Show two models side by side on TABLE.",
    "inspect": "Show what is in the bundle MODEL.",
    "run": "Do what CONFIG says: one file, one run.",
}


def _imported(name: Name) -> click.Command:
    match name:
        case "demo":
            from kdtab.cli.demo import demo as command
        case "train":
            from kdtab.cli.train import train as command
        case "distill":
            from kdtab.cli.distill import distill as command
        case "label":
            from kdtab.cli.label import label as command
        case "predict":
            from kdtab.cli.predict import predict as command
        case "compare":
            from kdtab.cli.compare import compare as command
        case "inspect":
            from kdtab.cli.inspect import inspect as command
        case "run":
            from kdtab.cli.run import run_file as command
        case _:
            assert_never(name)
    return command


@click.group(
    commands={
        name: LaterCommand(name, partial(_imported, name), summary)
        for name, summary in SUMMARIES.items()
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Try `kdtab demo` first. `kdtab COMMAND --help` shows all that a command takes.",
)
@click.version_option(package_name="kdtab", message="kdtab %(version)s")
def kdtab() -> None:
    """Turn a strong, heavy model of a table into a small, fast, safe one.

    Results go to stdout, progress and messages to stderr. Exit codes: 0 done, 1 gate missed, 2
    usage or config, 3 data, 4 bundle file, 5 training failed, 6 disk or memory, 130 interrupted.

    Example:
        >>> sorted(kdtab.commands)
        ['compare', 'demo', 'distill', 'inspect', 'label', 'predict', 'run', 'train']
    """


kdtab.help = without_example(kdtab.help)


def run(given: list[str], interrupted: Callable[[], bool] = lambda: False) -> int:
    """Run one command and print what it found, or every mistake in a sentence.

    Args:
        given: What stands after `kdtab`.
        interrupted: Whether the process heard Ctrl-C; a library that is being imported may turn
            that into an error of its own.

    Returns:
        The exit code.

    Example:
        >>> run(["--version"])
        kdtab ...
        0
    """
    as_json = "--json" in given
    if "_KDTAB_COMPLETE" in os.environ:
        kdtab.main(args=given, prog_name="kdtab")
    try:
        return _run(given, as_json)
    except (KeyboardInterrupt, click.Abort):
        return _refused("interrupted", Exit.INTERRUPTED, as_json)
    except click.ClickException as error:
        return _usage_mistake(error, as_json)
    except BrokenPipeError:
        _forget_stdout()
        return Exit.DONE
    except Exception as error:
        if interrupted():
            return _refused("interrupted", Exit.INTERRUPTED, as_json)
        return _crashed(error, as_json)


def _crashed(error: Exception, as_json: bool) -> int:
    said_so = isinstance(error, RuntimeError) and any(sign in str(error) for sign in OUT_OF_MEMORY)
    if isinstance(error, MemoryError) or said_so:
        words = "not enough memory: use a smaller batch_size, a smaller network or fewer rows"
        return _refused(words, Exit.DISK, as_json)
    from traceback import print_exc  # a third of the imports of `--help`

    print_exc()
    sys.stderr.write("error: this is a mistake in kdtab, not in what you typed: please report it\n")
    return Exit.BUG


def _run(given: list[str], as_json: bool) -> int:
    try:
        with kdtab.make_context("kdtab", given) as context:
            outcome = kdtab.invoke(context)
    except click.exceptions.Exit as ended:
        sys.stdout.flush()
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(f"{error.format_message()}\n")
        return Exit.USAGE
    from returns.result import Result

    from kdtab.results import either

    assert isinstance(outcome, Result), "every command returns a result"
    code: int = either(
        outcome,
        lambda answer: _deliver(answer, as_json, quiet="--quiet" in given or "-q" in given),
        lambda issues: _mistakes(issues, as_json),
    )
    return code


def _deliver(answer: Answer, as_json: bool, *, quiet: bool) -> int:
    from kdtab.cli.console import json_text

    if not quiet:
        sys.stderr.write("".join(f"note: {note}\n" for note in answer.notes))
    code = Exit.GATE_MISSED if answer.gate_missed else Exit.DONE
    return _write(json_text(answer.plain) if as_json else answer.text, code)


def _mistakes(issues: Issues, as_json: bool) -> int:
    from kdtab.cli.console import exit_code, issue_document, issue_lines, json_text

    sys.stderr.write(issue_lines(issues))
    code = exit_code(issues)
    return _write(json_text(issue_document(issues)), code) if as_json else code


def _usage_mistake(error: click.ClickException, as_json: bool) -> int:
    from kdtab.errors.base import did_you_mean

    words = error.format_message()
    context = getattr(error, "ctx", None)
    place = context.command_path if context is not None else "kdtab"
    if isinstance(error, click.NoSuchOption) and context is not None:
        known = [name for parameter in context.command.params for name in parameter.opts]
        words = f"no such option {error.option_name!r}." + did_you_mean(error.option_name, known)
    sentence = f"{words[:1].lower()}{words[1:].rstrip('.')}"
    sentence += f"{'' if sentence.endswith('?') else '.'} See `{place} --help`"
    return _refused(sentence, Exit.USAGE, as_json)


def _refused(sentence: str, code: Exit, as_json: bool) -> int:
    sys.stderr.write(f"error: {sentence}\n")
    if as_json:
        from kdtab.cli.console import json_text

        return _write(json_text({"error": [{"kind": code.name, "message": sentence}]}), code)
    return code


def _write(text: str, code: Exit) -> int:
    """Put the results on stdout, or say why they could not be put there."""
    if not text:
        return code
    try:
        sys.stdout.buffer.write(text.encode("utf-8", errors="backslashreplace"))
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
    except OSError as error:
        _forget_stdout()
        sys.stderr.write(f"error: cannot write to stdout: {(error.strerror or '').lower()}\n")
        return Exit.DISK
    return code


def _forget_stdout() -> None:
    """Keep the interpreter from writing to a stdout that takes nothing when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
