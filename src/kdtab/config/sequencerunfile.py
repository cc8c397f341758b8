"""A run of trajectory distillation from the values of its config file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from returns.result import Result, Success

from kdtab.config.base import FrozenConfig, parse_config
from kdtab.config.sequencenetworks import SequenceSpec, sequence_spec
from kdtab.config.sequencerun import (
    DataSection,
    ModelSection,
    SequenceRun,
    SequenceTraining,
    requested_trajectories,
)
from kdtab.config.sequences import DistillationConfig, SequenceColumns
from kdtab.errors.configs import FieldInvalid, FieldMissing, FieldUnknown
from kdtab.errors.issue import Issue, Issues
from kdtab.results import Checked, check, fail, gather

SECTIONS = ("model", "data", "training", "log_dir")
SPELLED = {"scale_min": "data.min_scale", "scale_max": "data.max_scale"}
Section = TypeVar("Section", bound=FrozenConfig)


def parse_sequence_run(document: Mapping[str, object]) -> Checked[SequenceRun]:
    """The run of a config file, or every mistake in it, each with its full name.

    Args:
        document: As `read_document` gives it.

    Returns:
        The run; or `FieldUnknown`, `FieldMissing`, `FieldInvalid` for each field that is wrong.

    Example:
        >>> parse_sequence_run({"training": {"max_epoch": 5, "distillation": {}}}).failure().every
        (FieldUnknown(name='training.max_epoch', ...), FieldInvalid(name='training.distillation...', ...))
    """
    strangers = check(
        *(FieldUnknown(name=name, known=SECTIONS) for name in document if name not in SECTIONS)
    )
    parts = [_section(document, name) for name in SECTIONS[:3]]
    model, data, training = (part.value_or({}) for part in parts)
    layers, columns = model.pop("layers", None), data.pop("columns", None)
    width, lesson = model.pop("input_dim", None), training.pop("distillation", None)
    parsed = (
        _parsed(ModelSection, model, "model.", ("layers", "input_dim")),
        _student(layers, width),
        _parsed(DataSection, data, "data.", ("columns",)),
        _optional(SequenceColumns, columns, "data.columns"),
        _parsed(SequenceTraining, training, "training.", ("distillation",)),
        _lesson(lesson),
    )
    names = ("model", "student", "data", "columns", "training", "distillation")
    return gather(strangers, *parts, *parsed, _requested(parsed)).bind(
        lambda _: parse_config(
            SequenceRun,
            {
                **dict(zip(names, (part.unwrap() for part in parsed), strict=True)),
                "width_said": width is not None,
                "log_dir": document.get("log_dir"),
            },
        )
    )


def _requested(parsed: tuple[Checked[object], ...]) -> Checked[None]:
    _, _, data, columns, training, _ = (part.value_or(None) for part in parsed)
    if not isinstance(data, DataSection) or not isinstance(training, SequenceTraining):
        return Success(None)
    chosen = columns if isinstance(columns, SequenceColumns) else None
    found = requested_trajectories(data, chosen, training).alt(_spelled)
    return found.map(lambda _: None)


def _spelled(issues: Issues) -> Issues:
    """`scale_min` is `data.min_scale` in the file."""
    return Issues(
        tuple(_respelled(issue) if isinstance(issue, FieldInvalid) else issue for issue in issues)
    )


def _respelled(issue: FieldInvalid) -> FieldInvalid:
    rule = issue.rule.replace("scale_min", "min_scale").replace("scale_max", "max_scale")
    return issue.model_copy(update={"name": SPELLED.get(issue.name, issue.name), "rule": rule})


def _section(document: Mapping[str, object], name: str) -> Checked[dict[str, object]]:
    given = document.get(name)
    if given is None:
        return Success({})
    if isinstance(given, Mapping):
        return Success(dict(given))
    rule = "must be a section of `name: value` lines"
    return fail(FieldInvalid(name=name, rule=rule, found=str(given)))


def _parsed(
    kind: type[Section], fields: Mapping[str, object], prefix: str, inside: tuple[str, ...] = ()
) -> Result[Section, Issues]:
    """`inside`: sections within this one, which are parsed on their own."""
    return parse_config(kind, fields).alt(lambda issues: _prefixed(issues, prefix, inside))


def _prefixed(issues: Issues, prefix: str, inside: tuple[str, ...] = ()) -> Issues:
    def named(issue: Issue) -> Issue:
        if isinstance(issue, FieldUnknown):
            known = (*issue.known, *inside)
            return issue.model_copy(update={"name": prefix + issue.name, "known": known})
        if isinstance(issue, FieldInvalid | FieldMissing):
            return issue.model_copy(update={"name": prefix + issue.name})
        return issue

    return Issues(tuple(map(named, issues)))


def _of_model(issues: Issues) -> Issues:
    return _prefixed(issues, "model.")


def _optional(kind: type[Section], given: object, name: str) -> Checked[Section | None]:
    none: Checked[Section | None] = Success(None)
    if given is None:
        return none
    if not isinstance(given, Mapping):
        rule = "must be a section of `name: value` lines"
        return fail(FieldInvalid(name=name, rule=rule, found=str(given)))
    return _parsed(kind, given, f"{name}.").map(lambda parsed: parsed)


def _student(layers: object, width: object) -> Checked[SequenceSpec | None]:
    none: Checked[SequenceSpec | None] = Success(None)
    if layers is None and width is None:
        return none
    if layers is None:
        return fail(FieldMissing(name="model.layers"))
    if not isinstance(layers, list):
        return fail(FieldInvalid(name="model.layers", rule="must be a list", found=str(layers)))
    if width is not None and type(width) is not int:
        rule = "must be a whole number"
        return fail(FieldInvalid(name="model.input_dim", rule=rule, found=str(width)))
    return sequence_spec(layers, width).alt(_of_model).map(lambda spec: spec)


def _lesson(given: object) -> Checked[DistillationConfig]:
    name = "training.distillation"
    if given is None:
        return fail(FieldMissing(name=name))
    return _optional(DistillationConfig, given, name).map(_there)


def _there(found: DistillationConfig | None) -> DistillationConfig:
    assert found is not None, "a section that is there"
    return found
