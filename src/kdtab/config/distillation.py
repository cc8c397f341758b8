"""How a student is distilled from a teacher of tables."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Self

from pydantic import Field, model_validator

from kdtab.config.base import FrozenConfig, fields_disagree
from kdtab.config.layerpairs import USUAL_WEIGHT, LayerPairSpec
from kdtab.config.objectives import ObjectiveConfig

USUAL_TEMPERATURE = 2.0
USUAL_ALPHA = 0.5


class DistillConfig(FrozenConfig):
    """The knobs of one distillation (seed PT-DISTILL-001).

    Attributes:
        temperature: T in softmax(z / T), above 0 and finite (REQ-KD04).
        alpha: Weight of the hard loss, in [0, 1]; the soft loss gets 1 - alpha (REQ-KD05).
        student_hidden_dim: None: max(16, half of the teacher's).
        student_num_hidden_layers: None: max(1, one fewer than the teacher's).
        student_dropout: None: min(0.5, the teacher's plus 0.05).
        objective: Which losses, combined how, with which schedules; None: what temperature and
            alpha alone say. In a config file only.
        layers: Pairs of layers that are compared too, where the teacher is a bundle. In a config
            file only.
        augment: Synthetic rows that the teacher labels, for each training row (MUNGE, Bucilă et al.
            2006); 0: none.
        augment_swap: Chance of a cell to change, in (0, 1].
        augment_spread: s of the normal spread |a − b| / s around a neighbour's number, above 0.
        calibrate: Fold one temperature, or scale and offset of a regression, into the last layer,
            chosen by the loss of the validation rows.
        half_precision: Round weight matrices to float16 in the end, and store them so: half the
            bytes. What is measured is what is stored.

    Raises:
        pydantic.ValidationError: A `ValueError`; an unknown field or a value out of range.

    Example:
        >>> DistillConfig(alpha=0.3).temperature
        2.0
        >>> DistillConfig(layers=({"student": "head", "teacher": "head"},)).layers[0].loss
        'squared_error'
    """

    added_later = frozenset(
        {"layers", "augment", "augment_swap", "augment_spread", "calibrate", "half_precision"}
    )

    temperature: Annotated[float, Field(gt=0)] = USUAL_TEMPERATURE
    alpha: Annotated[float, Field(ge=0, le=1)] = USUAL_ALPHA
    student_hidden_dim: Annotated[int, Field(ge=1, le=65_536)] | None = None
    student_num_hidden_layers: Annotated[int, Field(ge=1, le=64)] | None = None
    student_dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    objective: ObjectiveConfig | None = None
    layers: Annotated[tuple[LayerPairSpec, ...], Field(strict=False)] = ()
    augment: Annotated[float, Field(ge=0, le=100)] = 0.0
    augment_swap: Annotated[float, Field(gt=0, le=1)] = 0.25
    augment_spread: Annotated[float, Field(gt=0)] = 3.0
    calibrate: bool = False
    half_precision: bool = False

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        asked = self.objective or ObjectiveConfig()
        if asked.balancer is not None and self.alpha != USUAL_ALPHA:
            rule = "is a weight itself and leaves no place for objective.balancer"
            raise fields_disagree("alpha", rule, self.alpha)
        if asked.alpha is not None and self.alpha != USUAL_ALPHA:
            rule = "has a schedule in objective.alpha: leave one of the two out"
            raise fields_disagree("alpha", rule, self.alpha)
        if asked.temperature is not None and self.temperature != USUAL_TEMPERATURE:
            rule = "has a schedule in objective.temperature: leave one of the two out"
            raise fields_disagree("temperature", rule, self.temperature)
        return self

    @model_validator(mode="after")
    def _layers_agree(self) -> Self:
        weighed = self.objective is not None and self.objective.balancer is not None
        for number, pair in enumerate(self.layers):
            if weighed and pair.weight != USUAL_WEIGHT:
                rule = "has no place beside objective.balancer, which weighs every loss"
                raise fields_disagree(f"layers.{number}.weight", rule, pair.weight)
        counts = Counter((pair.student, pair.teacher) for pair in self.layers)
        twice = [names for names, count in counts.items() if count > 1]
        if twice:
            raise fields_disagree("layers", "must name two layers once", twice[0])
        return self
