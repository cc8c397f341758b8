"""How one student is chosen of several: by which settings, among which, within which limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, final

from pydantic import Field
from returns.result import Result

from kdtab.config.base import FrozenConfig, parse_config
from kdtab.config.distillation import DistillConfig
from kdtab.config.presets import Preset, PresetName, preset
from kdtab.config.teachers import LabelConfig
from kdtab.config.training import TrainingConfig
from kdtab.config.variants import StudentVariant
from kdtab.errors.configs import FieldUnknown
from kdtab.errors.issue import Issues
from kdtab.results import check

WIDTHS = (512, 256, 128, 64, 32, 16)
"""What is tried within limits, the widest first."""
TUNED_WIDTHS = (128, 512)
TUNED_TEMPERATURE = 2.0


class ChoiceOptions(FrozenConfig):
    """How one student is chosen of several.

    Attributes:
        preset: Settings that were chosen together, for whatever no flag and no file gives: standard,
            quick (half the steps and half the width), or seed (one student, in-sample labels).
            None: standard, or with a bundle as the teacher none.
        tune: Also try a temperature, other widths and no synthetic rows; the usual student is kept
            unless another leads by more than one standard error.
        max_bytes: The largest file of a student. Widths from 512 down to 16 are tried.
        max_latency: The longest median time of one row, in microseconds; likewise.

    Raises:
        pydantic.ValidationError: A `ValueError`; an unknown field or a value out of range.

    Example:
        >>> ChoiceOptions(max_bytes=300_000).limited
        True
    """

    preset: PresetName | None = None
    tune: bool = False
    max_bytes: Annotated[int, Field(ge=1)] | None = None
    max_latency: Annotated[float, Field(gt=0)] | None = None

    @property
    def limited(self) -> bool:
        """Whether a student may be too large or too slow.

        Example:
            >>> ChoiceOptions().limited
            False
        """
        return self.max_bytes is not None or self.max_latency is not None


@final
@dataclass(frozen=True)
class PresetRun:
    """The configs of a preset, ready for `distill_many`.

    Attributes:
        training: How every student is trained.
        distill: How it listens to the teacher, and its size.
        labels: How the teacher labels the training rows.
        variants: The students to choose from, the usual one first.
        choice: How one is kept.

    Example:
        >>> PresetRun.__dataclass_params__.frozen
        True
    """

    training: TrainingConfig
    distill: DistillConfig
    labels: LabelConfig
    variants: tuple[StudentVariant, ...]
    choice: ChoiceOptions


def preset_run(
    name: PresetName, *, choice: ChoiceOptions | None = None, **fields: object
) -> Result[PresetRun, Issues]:
    """A preset as configs, with some fields changed.

    Args:
        name: Which.
        choice: Whether to tune, and limits of size and latency.
        **fields: Of `TrainingConfig`, `DistillConfig` and `LabelConfig`; `target_column` at least.

    Returns:
        The configs, or the issues of every field that is wrong.

    Example:
        >>> run = preset_run("standard", target_column="y", student_hidden_dim=128).unwrap()
        >>> run.training.numeric_encoding, run.distill.student_hidden_dim, len(run.variants)
        ('piecewise_linear', 128, 2)
    """
    chosen, options = preset(name), choice or ChoiceOptions()
    every = {**preset_fields(chosen, fields), **fields}
    variants = candidate_variants(chosen, options, fixed=fixed_fields(fields))
    kinds = (TrainingConfig, DistillConfig, LabelConfig)
    known = tuple(field for kind in kinds for field in kind.model_fields)
    strangers = check(
        *(FieldUnknown(name=field, known=known) for field in fields if field not in known)
    )
    training, distill, labels = (
        {field: value for field, value in every.items() if field in kind.model_fields}
        for kind in kinds
    )
    return Result.do(
        PresetRun(trained, distilled, labelled, variants, options)
        for _ in strangers
        for trained in parse_config(TrainingConfig, training)
        for distilled in parse_config(DistillConfig, distill)
        for labelled in parse_config(LabelConfig, labels)
    )


def candidate_variants(
    chosen: Preset, choice: ChoiceOptions, *, fixed: Sequence[str] = ()
) -> tuple[StudentVariant, ...]:
    """The students of a preset: the usual one, other alphas, and what is tuned or limited.

    Args:
        chosen: The preset.
        choice: Whether to tune, and the limits: with a limit each width is tried, the widest first.
        fixed: Fields that a person gave: they are not varied.

    Returns:
        What each student changes, the usual one first; the student without a teacher is none of
        them, since a search fits it beside them.

    Example:
        >>> from kdtab.config.presets import preset
        >>> found = candidate_variants(preset("standard"), ChoiceOptions())
        >>> [each.changes for each in found]
        [{}, {'alpha': 0.25}]
        >>> [each.changes for each in candidate_variants(preset("seed"), ChoiceOptions())]
        [{}]
    """
    changes: list[dict[str, float]] = [{}]
    if choice.limited:
        changes = [{"student_hidden_dim": width} for width in WIDTHS]
    else:
        changes += [{"alpha": alpha} for alpha in chosen.alphas]
    if choice.tune:
        changes.append({"temperature": TUNED_TEMPERATURE})
        changes += [{"student_hidden_dim": width} for width in TUNED_WIDTHS]
        changes.append({"augment": 0.0})
    own = {**dict(DistillConfig()), **chosen.distill}
    free = [
        change
        for change in changes
        if not set(change) & set(fixed) and (choice.limited or not _is_of(change, own))
    ] or [{}]
    distinct = {tuple(change.items()): change for change in free}
    return tuple(StudentVariant.model_validate(change) for change in distinct.values())


def _is_of(change: Mapping[str, float], own: Mapping[str, object]) -> bool:
    """Whether a student would be the usual one again."""
    return bool(change) and all(own[name] == value for name, value in change.items())


def preset_fields(chosen: Preset, given: Mapping[str, object]) -> dict[str, object]:
    """The fields of a preset that stand beside what a person gave.

    Args:
        chosen: The preset.
        given: Fields of flags and file by name, not yet checked.

    Returns:
        Fields by name: none that was given, and none that would contradict one.

    Example:
        >>> from kdtab.config.presets import preset
        >>> found = preset_fields(preset("standard"), {"epochs": 3, "alpha": 0.9})
        >>> "steps" in found, "alpha" in found, found["optimizer"]
        (False, False, 'adamw')
    """
    every = {**chosen.training, **chosen.distill, **chosen.labels}
    unfit = {*given, *_contradicting(given)}
    return {name: value for name, value in every.items() if name not in unfit}


def fixed_fields(given: Mapping[str, object]) -> tuple[str, ...]:
    """The fields that are not varied: a person gave them, or what leaves them without effect.

    Args:
        given: Fields of flags and file by name.

    Returns:
        Their names.

    Example:
        >>> fixed_fields({"objective": {}})
        ('objective', 'alpha', 'temperature')
    """
    unvaried = (*given, *(("alpha", "temperature") if "objective" in given else ()))
    is_linear = given.get("training_mode") == "linear_glm_baseline"
    return (*unvaried, "student_hidden_dim") if is_linear else unvaried


def _contradicting(given: Mapping[str, object]) -> Iterator[str]:
    """Fields of a preset that cannot stand beside given ones."""
    if "epochs" in given:
        yield from ("steps", "max_epochs")
    if "objective" in given:
        yield from ("alpha", "temperature")
    if given.get("validation_size") in (0, 0.0) or given.get("training_mode") == "batch_ensemble":
        yield "calibrate"
