"""How a model learns layer by layer from a teacher in memory; torch-free, since it only names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, field_validator
from returns.result import Success

from kdtab.config.base import FrozenConfig, parse_config
from kdtab.errors.configs import ArgumentOfWrongType
from kdtab.errors.conversions import ModeUnknown
from kdtab.results import Checked, fail

MODE = "kd_loss"
WHOLE_MODELS = ("", "")
LONGEST_TEACHER = 3

Named: TypeAlias = tuple[str, str]
Asked: TypeAlias = Callable[..., object]
Pairs: TypeAlias = tuple[tuple[Named, Asked], ...]


class KDLossConfig(FrozenConfig):
    """What `kdtab.metamodel.convert` needs to know.

    Attributes:
        teacher_model: A module, a class or function that makes one, or a tuple of that function, its
            arguments and its named arguments.
        criterion: One loss between the outputs of both models, or a loss for each pair of student
            layer and teacher layer: names as in `named_modules`, or patterns with `*`. A loss is a
            module or a function of student output and teacher output.
        loss_balancer: What makes one number of several losses; None for a single one.
        expose_minimal_state_dict: Always True: the student's state dict is the student's.
        project: Whether widths that differ are joined by a trained projection, where an example
            batch is given that shows them.
        random_seed: Where the projections start.

    Raises:
        pydantic.ValidationError: A `ValueError`; an unknown field or a value out of range.

    Example:
        >>> config = KDLossConfig(teacher_model=object, criterion={("h", "g"): max})
        >>> config.pairs
        ((('h', 'g'), <built-in function max>),)
        >>> KDLossConfig(teacher_model=object, criterion=max).pairs[0][0]
        ('', '')
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    teacher_model: Asked | tuple[object, ...]
    criterion: Asked | Mapping[Named, Asked] | Pairs
    loss_balancer: object = None
    expose_minimal_state_dict: Literal[True] = True
    project: bool = True
    random_seed: Annotated[int, Field(ge=0, lt=2**32)] = 0

    @property
    def pairs(self) -> Pairs:
        """The criterion as pairs of layers, each with its loss.

        Example:
            >>> KDLossConfig(teacher_model=object, criterion={("h", "g"): max}).pairs[0][0]
            ('h', 'g')
        """
        assert isinstance(self.criterion, tuple), "the validator has made it one"
        return self.criterion

    @field_validator("teacher_model", mode="before")
    @classmethod
    def _makes_a_teacher(cls, given: object) -> object:
        if callable(given):
            return given
        if not isinstance(given, tuple) or not 1 <= len(given) <= LONGEST_TEACHER:
            raise ValueError("must be a module, a class, a function, or (class, args, kwargs)")
        if not callable(given[0]):
            raise ValueError("must have a class or a function at its first place")
        if len(given) > 1 and not isinstance(given[1], tuple | list):
            raise ValueError("must have a tuple of arguments at its second place")
        if len(given) == LONGEST_TEACHER and not isinstance(given[2], Mapping):
            raise ValueError("must have a mapping of named arguments at its third place")
        return given

    @field_validator("criterion", mode="before")
    @classmethod
    def _by_pair(cls, given: object) -> object:
        every = {WHOLE_MODELS: given} if callable(given) else given
        listed = every.values() if isinstance(every, Mapping) else ()
        if any(isinstance(loss, type) for loss in listed):
            raise ValueError("must have losses and not their classes: write Loss(), not Loss")
        pairs = tuple(every.items()) if isinstance(every, Mapping) else every
        if not isinstance(pairs, tuple) or not pairs or not all(map(_is_entry, pairs)):
            raise ValueError("must be a loss, or {(student layer, teacher layer): loss}")
        return pairs

    @field_validator("loss_balancer")
    @classmethod
    def _balances(cls, given: object) -> object:
        if isinstance(given, type):
            raise ValueError("must be a balancer and not its class: write Balancer(), not Balancer")
        if given is None or callable(given) or callable(getattr(given, "combine", None)):
            return given
        raise ValueError("must be a balancer, a function of the losses by name, or None")


def loss_config(mode: object) -> Checked[KDLossConfig]:
    """The config in a mode of conversion.

    Args:
        mode: `[("kd_loss", config)]` or `{"kd_loss": config}`, config a `KDLossConfig` or its
            fields by name.

    Returns:
        The config; or `ModeUnknown`, `ArgumentOfWrongType`, and what `parse_config` refuses.

    Example:
        >>> loss_config([("kd_loss", {"teacher_model": object})]).failure().first
        FieldMissing(name='criterion')
        >>> loss_config("nas").failure().first
        ModeUnknown(found='nas')
    """
    entries = list(mode.items()) if isinstance(mode, Mapping) else mode
    match entries:
        case [(str(name), KDLossConfig() as config)] if name == MODE:
            return Success(config)
        case [(str(name), Mapping() as fields)] if name == MODE:
            return parse_config(KDLossConfig, fields)
        case [(str(name), other)] if name == MODE:
            found, expected = type(other).__name__, "KDLossConfig or dict"
            return fail(ArgumentOfWrongType(name=MODE, expected=expected, found=found))
        case _:
            return fail(ModeUnknown(found=mode if isinstance(mode, str) else repr(mode)))


def _is_entry(entry: object) -> bool:
    match entry:
        case ((str(), str()), loss):
            return callable(loss)
        case _:
            return False
