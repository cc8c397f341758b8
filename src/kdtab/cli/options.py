"""Flags made from the fields of the configs, and the flags that several commands share."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Literal, TypeVar, get_args, get_origin

import click
from pydantic.fields import FieldInfo

from kdtab.cli.fields import plain_kind
from kdtab.cli.later import without_example
from kdtab.config.base import FrozenConfig
from kdtab.config.places import has_fields_inside

Callback = TypeVar("Callback", bound=Callable[..., object])

NAMES: dict[str, tuple[str, ...]] = {
    "target_column": ("--target", "--target-column"),
    "random_seed": ("--random-seed", "--seed"),
    "exclude_columns": ("--exclude", "--exclude-column", "--exclude-columns"),
    "date_columns": ("--date-column", "--date-columns"),
    "missing_markers": ("--missing-marker",),
}
TEXTS: dict[str, str] = {
    "labels": "How the training rows get their labels: auto fits whatever can be fitted without "
    "the rows that it labels; or a folder that `kdtab label` wrote. [default: auto]",
    "exclude_columns": "A column that is no feature (row number, name, leak). Repeat for more.",
    "date_columns": "A text column to read as dates. Repeat for more.",
    "missing_markers": "One more text that means a missing cell, beside the usual ones "
    "(empty, na, n/a, nan, none, null, . and ?). Repeat for more.",
    "student_hidden_dim": "Units of a hidden layer of the student. "
    "Without it max(16, half of the teacher's); with a preset the preset's, or 128.",
    "student_num_hidden_layers": "Hidden layers of the student. "
    "Without it max(1, one fewer than the teacher's); with a preset the preset's, or 2.",
    "student_dropout": "Share of the student's hidden units set to zero in a step. "
    "Without it min(0.5, the teacher's plus 0.05); with a preset the preset's, or 0.1.",
}


class FieldOption(click.Option):
    """A flag that stands under a heading of `--help`.

    Example:
        >>> FieldOption(["--epochs"], section="Training").section
        'Training'
    """

    def __init__(self, names: list[str], *, section: str, **settings: object) -> None:
        super().__init__(names, **settings)  # type: ignore[arg-type]  # click checks its own settings
        self.section = section


class SectionedCommand(click.Command):
    r"""A command whose `--help` shows its flags under headings, and no doctest.

    Example:
        >>> SectionedCommand("train", help="Train.\n\nExample:\n    >>> 1").help
        'Train.'
    """

    def __init__(self, name: str | None, **settings: object) -> None:
        super().__init__(name, **settings)  # type: ignore[arg-type]  # click checks its own settings
        self.help = without_example(self.help)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one list of flags for each heading, the plain ones last.

        Args:
            ctx: The command's context.
            formatter: Where to write.

        Example:
            >>> flag = FieldOption(["--epochs"], section="Training", help="Passes.")
            >>> command = SectionedCommand("train", params=[flag])
            >>> "Training:" in command.get_help(click.Context(command))
            True
        """
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None:
                sections.setdefault(getattr(parameter, "section", "Command"), []).append(record)
        for section, records in sections.items():
            with formatter.section(section):
                formatter.write_dl(records)


def field_flags(
    section: str, kind: type[FrozenConfig], *, without: frozenset[str] = frozenset()
) -> Callable[[Callback], Callback]:
    """A decorator that gives a command one flag for each field of a config.

    A field that holds configs of its own has no flag: it stands in a config file. Texts, defaults and choices come from the config alone; a flag that is not given is None.

    Args:
        section: The heading of these flags in `--help`.
        kind: The config.
        without: Fields that the command does not offer.

    Returns:
        The decorator.

    Example:
        >>> from kdtab.config.distillation import DistillConfig
        >>> @click.command
        ... @field_flags("Distillation", DistillConfig)
        ... def distill(**flags: object) -> None: ...
        >>> distill.params[0].opts
        ['--temperature']
    """

    def decorate(callback: Callback) -> Callback:
        texts = field_texts(kind)
        for name, field in reversed(kind.model_fields.items()):
            if name not in without and not has_fields_inside(field.annotation):
                callback = _flag(section, name, field, texts[name])(callback)
        return callback

    return decorate


def table_argument(callback: Callback) -> Callback:
    """A decorator that gives a command its TABLE.

    Args:
        callback: The command's function, which takes `table`.

    Returns:
        The same function, decorated.

    Example:
        >>> @click.command
        ... @table_argument
        ... def count(table: str) -> None: ...
        >>> count.params[0].human_readable_name
        'TABLE'
    """
    return click.argument("table")(callback)


def output_flags(callback: Callback) -> Callback:
    """A decorator that gives a command `--config`, `--json` and `--quiet`.

    `--json` is read where results are printed, so the function never sees it.

    Args:
        callback: The command's function, which takes `config` and `quiet`.

    Returns:
        The same function, decorated.

    Example:
        >>> @click.command
        ... @output_flags
        ... def count(config: str | None, quiet: bool) -> None: ...
        >>> [option.name for option in count.params]
        ['config', 'json', 'quiet']
    """
    config = click.option(
        "--config", metavar="FILE", help="A TOML or YAML file of fields; flags win over it."
    )
    return config(plain_flags(callback))


def plain_flags(callback: Callback) -> Callback:
    """A decorator that gives a command `--json` and `--quiet`.

    Args:
        callback: The command's function, which takes `quiet`.

    Returns:
        The same function, decorated.

    Example:
        >>> @click.command
        ... @plain_flags
        ... def count(quiet: bool) -> None: ...
        >>> [option.name for option in count.params]
        ['json', 'quiet']
    """
    as_json = click.option(
        "--json", is_flag=True, expose_value=False, help="One JSON document on stdout."
    )
    quiet = click.option("-q", "--quiet", is_flag=True, help="Nothing on stderr but errors.")
    return as_json(quiet(callback))


def field_texts(kind: type[FrozenConfig]) -> dict[str, str]:
    """What each field of a config means, read from the `Attributes:` of its docstring.

    Args:
        kind: A config.

    Returns:
        One line for each documented field.

    Example:
        >>> from kdtab.config.distillation import DistillConfig
        >>> field_texts(DistillConfig)["student_hidden_dim"]
        "None: max(16, half of the teacher's)."
    """
    block = (inspect.getdoc(kind) or "").partition("Attributes:\n")[2].partition("\n\n")[0]
    entries = re.split(r"\n(?=    \S)", block)
    parted = (" ".join(entry.split()).partition(": ") for entry in entries)
    return {name: text for name, _, text in parted}


def _flag(section: str, name: str, field: FieldInfo, text: str) -> Callable[[Callback], Callback]:
    kind = plain_kind(field.annotation)
    flags = NAMES.get(name, ("--" + name.replace("_", "-"),))
    help_text = TEXTS.get(name) or _help(text, field)
    if kind is bool:
        names = [f"{flags[0]}/--no-{flags[0].removeprefix('--')}", name]
        return click.option(*names, default=None, cls=FieldOption, section=section, help=help_text)
    return click.option(
        *flags,
        name,
        cls=FieldOption,
        section=section,
        type=str,
        multiple=kind is tuple,
        default=None,
        metavar=_metavar(name, field),
        help=help_text,
    )


def _help(text: str, field: FieldInfo) -> str:
    """The docstring's text for people at a terminal: no requirement numbers, no Python."""
    plain = re.sub(r" \((?:REQ-|seed )[^)]*\)", "", text)
    plain = re.sub(r"\bNone(?: takes|:)", "Without it", plain).replace("; Without", "; without")
    quiet = (
        field.is_required()
        or field.default is None
        or field.default is False
        or field.default == ()
    )
    return plain if quiet else f"{plain} [default: {field.default}]"


def _metavar(name: str, field: FieldInfo) -> str:
    choices = _choices(field.annotation)
    if choices:
        return "[" + "|".join(choices) + "]"
    if name.endswith(("_column", "_columns")):
        return "COLUMN"
    return {int: "INTEGER", float: "NUMBER"}.get(plain_kind(field.annotation), "TEXT")


def _choices(annotation: object) -> tuple[str, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()
