"""What every config is: frozen, strict, finite, and changed only through validation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from numbers import Integral, Real
from typing import ClassVar, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError
from returns.result import Failure, Result, Success

from kdtab.config.places import fields_at
from kdtab.errors.base import listed, quoted
from kdtab.errors.configs import (
    AlphaOutOfRange,
    ConfigIssue,
    FieldInvalid,
    FieldMissing,
    FieldUnknown,
    TemperatureOutOfRange,
)
from kdtab.errors.issue import Issues

MOST_KINDS = 40


class FrozenConfig(BaseModel):
    """Base of all configs: frozen, no unknown fields, no silent conversion, no NaN.

    Fields are scalars, tuples and frozen models only, since pydantic freezes no deeper. A record leaves
    the fields of `added_later` out at their defaults: one that needs none of them keeps its bytes.

    Example:
        >>> class Pace(FrozenConfig):
        ...     steps: int = 10
        >>> Pace().steps
        10
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
    added_later: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _plain_numbers(cls, fields: object) -> object:
        """Numbers of other libraries (a numpy integer out of a grid) as Python's own."""
        if not isinstance(fields, Mapping):
            return fields
        return {name: _plain_number(value) for name, value in fields.items()}

    @model_serializer(mode="wrap")
    def _without_later_defaults(self, dump: SerializerFunctionWrapHandler) -> dict[str, object]:
        fields: dict[str, object] = dump(self)
        usual = type(self).model_fields
        for name in self.added_later & fields.keys():
            if getattr(self, name) == usual[name].default:
                del fields[name]
        return fields


Config = TypeVar("Config", bound=FrozenConfig)


def parse_config(kind: type[Config], fields: Mapping[str, object]) -> Result[Config, Issues]:
    """A config from plain data, or every problem of that data at once.

    Args:
        kind: The config's class.
        fields: Its fields by name, as read from a file or collected from flags.

    Returns:
        The validated config, or `FieldUnknown`, `FieldMissing`, `FieldInvalid` (and the seeds'
        `TemperatureOutOfRange`, `AlphaOutOfRange`), one for each field that is wrong.

    Example:
        >>> class Pace(FrozenConfig):
        ...     steps: int = 10
        >>> parse_config(Pace, {"steps": 3}).unwrap()
        Pace(steps=3)
        >>> parse_config(Pace, {"step": 3}).failure().first
        FieldUnknown(name='step', known=('steps',))
    """
    try:
        return Success(kind.model_validate(dict(fields)))
    except ValidationError as error:
        return Failure(Issues(tuple(_issue(detail, kind) for detail in error.errors())))


def revise(config: Config, **changes: object) -> Result[Config, Issues]:
    """The config with some fields changed, validated as if it were made anew.

    Args:
        config: Any config.
        **changes: New values by field name.

    Returns:
        A new config, or every problem of the changes. (`model_copy(update=…)` checks nothing.)

    Example:
        >>> class Pace(FrozenConfig):
        ...     steps: int = 10
        >>> revise(Pace(), steps=3).unwrap()
        Pace(steps=3)
        >>> revise(Pace(), steps="x").failure().first.name
        'steps'
    """
    fields = {name: getattr(config, name) for name in config.model_fields_set}
    return parse_config(type(config), {**fields, **changes})


def _plain_number(value: object) -> object:
    if isinstance(value, int | float):
        return value
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def fields_disagree(name: str, rule: str, found: object) -> PydanticCustomError:
    """What a validator raises when a field is fine alone, but not beside another.

    Args:
        name: The field to change.
        rule: What must hold.
        found: Its value.

    Returns:
        An error that `parse_config` turns into `FieldInvalid`.

    Example:
        >>> str(fields_disagree("patience", "needs a validation_size", 3))
        'patience needs a validation_size, got 3'
    """
    fields = {"name": name, "rule": rule, "found": str(found)}
    return PydanticCustomError("fields_disagree", "{name} {rule}, got {found}", fields)


def _issue(detail: ErrorDetails, kind: type[FrozenConfig]) -> ConfigIssue:
    name = ".".join(str(part) for part in detail["loc"])
    found = detail["input"]
    match detail["type"]:
        case "extra_forbidden":
            return FieldUnknown(name=name, known=fields_at(kind, detail["loc"][:-1]))
        case "missing":
            return FieldMissing(name=name)
        case "union_tag_not_found":
            return FieldMissing(name=f"{name}.{_tag_of(detail)}")
        case "union_tag_invalid":
            known = _choices(detail)
            return FieldInvalid(
                name=f"{name}.{_tag_of(detail)}",
                rule=f"must be one of {listed(known, most=MOST_KINDS)}",
                found=str(detail["ctx"]["tag"]),
                known=known,
            )
        case "fields_disagree":
            fields = {
                **detail["ctx"],
                "name": ".".join(filter(None, (name, detail["ctx"]["name"]))),
            }
            return FieldInvalid(**fields)
        case _ if name == "temperature" and isinstance(found, int | float):
            return TemperatureOutOfRange(found=str(found))
        case _ if name == "alpha" and isinstance(found, int | float):
            return AlphaOutOfRange(found=str(found))
        case _:
            return FieldInvalid(
                name=name,
                rule=_rule(detail),
                found=quoted(found).strip("'"),
                known=_choices(detail),
            )


def _tag_of(detail: ErrorDetails) -> str:
    return str(detail["ctx"]["discriminator"]).strip("'")


def _choices(detail: ErrorDetails) -> tuple[str, ...]:
    context = detail.get("ctx", {})
    listed_in = {"literal_error": "expected", "union_tag_invalid": "expected_tags"}
    choices = context.get(listed_in.get(detail["type"], ""), "")
    return tuple(re.findall(r"'([^']*)'", str(choices)))


def _rule(detail: ErrorDetails) -> str:
    if detail["type"] == "tuple_type":
        return "must be a list"
    if detail["type"] in ("model_type", "model_attributes_type"):
        return "must be a section of `name: value` lines"
    message = detail["msg"]
    for opening in ("Input should be ", "Value error, "):
        if message.startswith(opening):
            rest = message.removeprefix(opening)
            return f"must be {rest}" if opening.startswith("Input") else rest
    return f"is refused ({message})"
