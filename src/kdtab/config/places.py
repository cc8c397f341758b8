"""Where in nested configs a mistake is, and what the config of that place takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel


def fields_at(kind: type[BaseModel], place: Sequence[int | str]) -> tuple[str, ...]:
    """The fields of the config at a place inside of another.

    Args:
        kind: The outer config.
        place: From it inwards: a field's name, the number of an item, the `kind` that chooses one
            config of several.

    Returns:
        Field names; none where there is no single config.

    Example:
        >>> from kdtab.config.objectives import ObjectiveConfig
        >>> fields_at(ObjectiveConfig, ("losses", 0, "huber"))
        ('kind', 'delta')
        >>> fields_at(ObjectiveConfig, ())[0]
        'losses'
    """
    found: object = kind
    for part in place:
        found = _inside(found, part)
    models = tuple(_models(found))
    return tuple(models[0].model_fields) if len(models) == 1 else ()


def has_fields_inside(annotation: object) -> bool:
    """Whether a field holds configs of its own, which no flag and no single value can give.

    Args:
        annotation: Of a config's field.

    Returns:
        True for a config, a union of them, a tuple of them.

    Example:
        >>> has_fields_inside(tuple[str, ...]), has_fields_inside(tuple[BaseModel, ...] | None)
        (False, True)
    """
    return any(
        isinstance(option, type) and issubclass(option, BaseModel)
        for plain in _options(annotation)
        for option in (_options(get_args(plain)[0]) if get_origin(plain) is tuple else [plain])
    )


def _inside(annotation: object, part: int | str) -> object:
    if isinstance(part, int):
        items = [option for option in _options(annotation) if get_origin(option) is tuple]
        return get_args(items[0])[0] if items else None
    models = tuple(_models(annotation))
    if len(models) == 1 and part in models[0].model_fields:
        return models[0].model_fields[part].annotation
    chosen = [model for model in models if part in _kinds(model)]
    return chosen[0] if chosen else None


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    for option in _options(annotation):
        if isinstance(option, type) and issubclass(option, BaseModel):
            yield option


def _options(annotation: object) -> Iterator[object]:
    """The types of a union, without what only annotates them."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _options(get_args(annotation)[0])
    elif origin in (Union, UnionType):
        for option in get_args(annotation):
            yield from _options(option)
    elif annotation is not NoneType:
        yield annotation


def _kinds(model: type[BaseModel]) -> tuple[str, ...]:
    field = model.model_fields.get("kind") or model.model_fields.get("type")
    if field is None or get_origin(field.annotation) is not Literal:
        return ()
    return get_args(field.annotation)
