"""The fields that flags and a config file give, and the run that they describe."""

from __future__ import annotations

from collections.abc import Mapping
from types import NoneType
from typing import Annotated, Literal, TypeAlias, get_args, get_origin

from pydantic.fields import FieldInfo
from returns.result import Result, Success

from kdtab.config.columns import DEFAULT_MISSING_MARKERS
from kdtab.config.places import has_fields_inside
from kdtab.config.run import Run, parse_run, run_parts
from kdtab.disk.documents import read_document
from kdtab.errors.configs import FieldInvalid, FieldMissing, FieldOfFile, FieldUnknown
from kdtab.errors.issue import Issues

Flags: TypeAlias = Mapping[str, object]


def given_fields(run: type[Run], flags: Flags) -> dict[str, object]:
    """The values of the flags that were given, each of its field's type if it can be.

    A text that is no such value stays a text, so that the config refuses it beside all other
    mistakes.

    Args:
        run: The run whose configs the flags are made from.
        flags: Values by field name; None or an empty tuple for a flag that was not given.

    Returns:
        Values by field name.

    Example:
        >>> from kdtab.config.run import TrainRun
        >>> given_fields(TrainRun, {"epochs": "3", "dropout": "much", "patience": None})
        {'epochs': 3, 'dropout': 'much'}
    """
    fields = {
        name: field
        for part in run_parts(run).values()
        for name, field in part.model_fields.items()
        if flags.get(name) not in (None, ())
    }
    return {name: _value(field, flags[name]) for name, field in fields.items()}


def run_fields(
    run: type[Run], config_file: str | None, flags: Flags
) -> Result[dict[str, object], Issues]:
    """The fields of a config file with those of the flags over them.

    Args:
        run: The run whose configs they are for.
        config_file: A TOML or YAML file, or None.
        flags: As for `given_fields`. Missing markers are added to those of the file.

    Returns:
        Values by field name, not yet checked; `DocumentUnreadable`, `DocumentInvalid`.

    Example:
        >>> from kdtab.config.run import TrainRun
        >>> run_fields(TrainRun, None, {"missing_markers": ("-200",)}).unwrap()["missing_markers"][-2:]
        ('?', '-200')
    """
    empty: Result[dict[str, object], Issues] = Success({})
    document = empty if config_file is None else read_document(config_file)
    return document.map(lambda fields: _over(fields, given_fields(run, flags)))


def parsed_run(
    run: type[Run], config_file: str | None, flags: Flags, **defaults: object
) -> Result[Run, Issues]:
    """The run that a config file and flags describe, or every mistake in them.

    Args:
        run: Which run.
        config_file: A TOML or YAML file, or None.
        flags: As for `given_fields`.
        **defaults: Values of fields that neither gives.

    Returns:
        The checked run, or the issues of the file or of the fields; `FieldOfFile` for those of a
        field that no flag can give.

    Example:
        >>> from kdtab.config.run import TrainRun
        >>> parsed_run(TrainRun, None, {"epochs": "3"}, target_column="y").unwrap().training.epochs
        3
    """
    fields = run_fields(run, config_file, flags)
    return fields.bind(
        lambda given: parse_run(run, {**defaults, **given}).alt(
            lambda issues: _of_file(issues, config_file, run)
        )
    )


def plain_kind(annotation: object) -> type:
    """The plain type below `Annotated`, `| None` and `Literal`.

    Args:
        annotation: Of a config's field.

    Returns:
        `int`, `float`, `bool`, `str` or `tuple`.

    Example:
        >>> plain_kind(Annotated[float | None, "a share"])
        <class 'float'>
    """
    if get_origin(annotation) is Literal:
        return str
    if get_origin(annotation) is tuple:
        return tuple
    if get_origin(annotation) is Annotated:
        return plain_kind(get_args(annotation)[0])
    if isinstance(annotation, type):
        return annotation
    (inner,) = (part for part in get_args(annotation) if part is not NoneType)
    return plain_kind(inner)


def _of_file(issues: Issues, config_file: str | None, run: type[Run]) -> Issues:
    if config_file is None:
        return issues
    inner = {
        name
        for part in run_parts(run).values()
        for name, field in part.model_fields.items()
        if has_fields_inside(field.annotation)
    }
    return Issues(
        tuple(
            FieldOfFile(path=config_file, field=issue)
            if isinstance(issue, FieldUnknown | FieldInvalid | FieldMissing)
            and issue.name.partition(".")[0] in inner
            else issue
            for issue in issues
        )
    )


def _over(fields: dict[str, object], given: dict[str, object]) -> dict[str, object]:
    added, usual = given.get("missing_markers"), fields.get("missing_markers")
    if isinstance(added, tuple) and usual is None:
        given = given | {"missing_markers": (*DEFAULT_MISSING_MARKERS, *added)}
    elif isinstance(added, tuple) and isinstance(usual, list):
        given = given | {"missing_markers": (*usual, *added)}
    return fields | given


def _value(field: FieldInfo, given: object) -> object:
    kind = plain_kind(field.annotation)
    if not isinstance(given, str) or kind not in (int, float):
        return given
    try:
        return int(given) if kind is int else float(given)
    except ValueError:
        return given
