"""The students of the protocol: a ladder from the seeds' recipe to the preset, one step at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from kdtab.config.base import revise
from kdtab.config.distillation import DistillConfig
from kdtab.config.presets import NARROW, WIDE, dropout_for, preset
from kdtab.config.training import TrainingConfig

Changes: TypeAlias = Mapping[str, object]
SEED_RECIPE, OUT_OF_FOLD, ENCODED, ROWS, PRESET = "seed", "out_of_fold", "encoded", "rows", "preset"
SCRATCH, WIDE_SCRATCH, GATED = "scratch_64", "scratch_256", "gated"


@dataclass(frozen=True)
class Rung:
    """A student of the ladder.

    `training` and `distill` are its changes of the defaults; `alone` is the name of the same student
    without a teacher where that is measured too, and `handed_out` that of the one which kdtab keeps of
    it, the students of `alphas` and the one without a teacher; `beginning` marks the seeds' recipe.
    """

    name: str
    text: str
    training: Changes
    distill: Changes
    alone: str | None = None
    handed_out: str | None = None
    alphas: tuple[float, ...] = ()
    beginning: bool = False

    @property
    def measured(self) -> tuple[str, ...]:
        """The names that one run of it gives."""
        every = (self.alone, self.handed_out, self.name)
        return tuple(name for name in every if name is not None)

    def training_config(self, base: TrainingConfig) -> TrainingConfig:
        """The table's config with the rung's changes."""
        return revise(base, **self.training).unwrap()

    def distill_config(self) -> DistillConfig:
        """The knobs of its distillation."""
        return revise(DistillConfig(), **self.distill).unwrap()


def ladder() -> tuple[Rung, ...]:
    """From the seeds' recipe to the preset; each rung is the one before it and one thing more."""
    standard = preset("standard")
    narrow = {
        **standard.distill,
        "student_hidden_dim": NARROW,
        "student_dropout": dropout_for(NARROW),
    }
    plain = {
        "temperature": 1.0,
        "student_hidden_dim": NARROW,
        "student_num_hidden_layers": 2,
        "student_dropout": dropout_for(NARROW),
    }
    return (
        Rung(
            SEED_RECIPE,
            "seed recipe",
            {"training_mode": "tree_teacher_distillation", "hidden_dim": NARROW},
            {},
            beginning=True,
        ),
        Rung(OUT_OF_FOLD, "out-of-fold labels", {}, plain),
        Rung(
            ENCODED,
            "+ bins beside the numbers, patient schedule",
            standard.training,
            {**narrow, "augment": 0.0},
        ),
        Rung(ROWS, "+ teacher-labelled rows", standard.training, narrow, alone=SCRATCH),
        Rung(
            PRESET,
            "+ width (the preset)",
            standard.training,
            {**standard.distill, "student_hidden_dim": WIDE},
            alone=WIDE_SCRATCH,
            handed_out=GATED,
            alphas=standard.alphas,
        ),
    )
