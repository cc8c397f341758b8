"""Settings that were chosen together, by evidence, and are worth more together than each alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias, assert_never, final, get_args

PresetName: TypeAlias = Literal["seed", "quick", "standard"]
PRESET_NAMES: tuple[PresetName, ...] = get_args(PresetName)
Changes: TypeAlias = Mapping[str, object]


@final
@dataclass(frozen=True)
class Preset:
    """What a preset changes of the defaults; a setting that a person gave goes before it.

    Attributes:
        training: Of `TrainingConfig`, by field name.
        distill: Of `DistillConfig`.
        labels: Of `LabelConfig`.
        alphas: Weights of the hard loss that are tried beside `distill["alpha"]`, in one pass.

    Example:
        >>> Preset().training
        mappingproxy({})
    """

    training: Changes = field(default_factory=lambda: MappingProxyType({}))
    distill: Changes = field(default_factory=lambda: MappingProxyType({}))
    labels: Changes = field(default_factory=lambda: MappingProxyType({}))
    alphas: tuple[float, ...] = ()


def preset(name: PresetName) -> Preset:
    """The settings of a preset.

    "seed" is the recipe that kdtab began with (PT-DISTILL-001): labels of a teacher that saw the
    rows, temperature 2, half hard and half soft. "standard" is what the protocol of
    benchmarks/quality chose (docs/results.md): honest labels, synthetic rows labelled by the
    teacher, numbers as piecewise-linear bins beside themselves, a wide student and a patient
    schedule. "quick" is the same with half of the steps and half of the width.

    Args:
        name: Which.

    Returns:
        Its changes; the same value for the same name.

    Example:
        >>> preset("standard").training["numeric_encoding"], preset("seed").labels["labels"]
        ('piecewise_linear', 'in_sample')
    """
    match name:
        case "seed":
            return SEED
        case "quick":
            return QUICK
        case "standard":
            return STANDARD
        case _:
            assert_never(name)


def dropout_for(hidden_dim: int) -> float:
    """The dropout of a student of a width: a wide one can spare units, a narrow one cannot.

    Log loss on letter with .05, .1 and .2: .263, .280, .300 of 64 units; with .1 and .2: .238, .229
    of 256.

    Args:
        hidden_dim: Units of each of its hidden layers.

    Returns:
        A share of units.

    Example:
        >>> [dropout_for(width) for width in (64, 128, 256)]
        [0.05, 0.1, 0.2]
    """
    if hidden_dim <= NARROW:
        return 0.05
    return 0.1 if hidden_dim < WIDE else 0.2


NARROW, WIDE = 64, 256
SEED = Preset(
    distill=MappingProxyType({"temperature": 2.0, "alpha": 0.5}),
    labels=MappingProxyType({"labels": "in_sample", "gate": False}),
)
STANDARD = Preset(
    training=MappingProxyType(
        {
            "validation_size": 0.2,
            "numeric_encoding": "piecewise_linear",
            "encoding_bins": 24,
            "optimizer": "adamw",
            "learning_rate": 3e-3,
            "weight_decay": 1e-3,
            "learning_rate_schedule": "cosine",
            "warmup_steps": 100,
            "steps": 4_000,
            "max_epochs": 1_000,
            "batch_size": 256,
        }
    ),
    distill=MappingProxyType(
        {
            "temperature": 1.0,
            "alpha": 0.5,
            "student_hidden_dim": WIDE,
            "student_num_hidden_layers": 2,
            "student_dropout": dropout_for(WIDE),
            "augment": 4.0,
            "augment_swap": 0.1,
            "augment_spread": 3.0,
            "calibrate": True,
            "half_precision": True,
        }
    ),
    alphas=(0.25,),
)
QUICK = Preset(
    training=MappingProxyType({**STANDARD.training, "steps": 2_000}),
    distill=MappingProxyType(
        {**STANDARD.distill, "student_hidden_dim": 128, "student_dropout": dropout_for(128)}
    ),
    alphas=STANDARD.alphas,
)
