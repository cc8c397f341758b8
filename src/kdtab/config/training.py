"""How a network is trained on a table."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from kdtab.config.base import FrozenConfig, fields_disagree

Task: TypeAlias = Literal["classification", "regression"]
RequestedTask: TypeAlias = Literal["auto", "classification", "regression"]
TrainingMode: TypeAlias = Literal[
    "mlp_dense",
    "linear_glm_baseline",
    "tabresnet",
    "imbalance_aware",
    "calibrated_classifier",
    "tree_teacher_distillation",
    "batch_ensemble",
]
Optimizer: TypeAlias = Literal["adam", "adamw"]
RateSchedule: TypeAlias = Literal["constant", "cosine"]
NumericEncoding: TypeAlias = Literal["scaled", "quantile", "piecewise_linear"]
MatmulPrecision: TypeAlias = Literal["float32", "bfloat16"]

CLASSIFICATION_ONLY: frozenset[TrainingMode] = frozenset(
    {"imbalance_aware", "calibrated_classifier"}
)


class TrainingConfig(FrozenConfig):
    """The knobs of one training run; every bound is checked here, before a file is opened.

    `epochs` and `batch_size` left at None are resolved from the number of training rows to a step
    budget, and recorded; an integer means exactly that many. `batch_size=1` is a valid value that
    becomes an error of the call, since no batch of one row is ever trained on (AC-T13).

    Attributes:
        target_column: The column to predict.
        training_mode: Which network and which hard loss (seed PT-TRAINER-001).
        task: What to predict; "auto" lets the target decide.
        test_size: Share of the rows with a target that is held out for the metric, in (0, 1).
        validation_size: Share of the rows held out to choose the epoch, in [0, 1).
        patience: Epochs without a better validation loss before training stops; the best epoch's
            weights are restored. None: every epoch is run. Needs `validation_size`.
        random_seed: Seed of every random choice.
        epochs: Passes over the training rows.
        batch_size: Rows of one step.
        learning_rate: Adam's step size.
        hidden_dim: Units of a hidden layer.
        num_hidden_layers: Hidden layers or residual blocks.
        dropout: Share of hidden units set to zero in a step, in [0, 1).
        steps: Weight updates in all, rounded up to whole epochs; stands in for `epochs`.
        max_epochs: Of `steps`, at most those of so many passes over the labelled rows: a small table
            is not worth thousands of updates.
        optimizer: "adam" adds the decay to the gradient, "adamw" takes it off the weights
            (Loshchilov & Hutter 2019, arXiv:1711.05101).
        weight_decay: Of the optimizer (REQ-KD20, REQ-T10).
        learning_rate_schedule: "constant", or "cosine": from `learning_rate` down to 0.
        warmup_steps: First steps, in which the learning rate rises in a line from 0.
        ema_decay: Decay of a running mean of the weights, which is what is validated and kept. None:
            the weights themselves.
        numeric_encoding: How a network takes numbers: scaled; as normal scores of their rank
            ("quantile"); or scaled, and beside that by quantile bins ("piecewise_linear",
            Gorishniy et al. 2022, arXiv:2203.05556).
        encoding_bins: Bins of a column, at most; fewer where it has few different values.
        ensemble_size: Members of a `batch_ensemble` (Gorishniy et al. 2025, arXiv:2410.24210).
        matmul_precision: Of the matrix products in training, on CUDA and where the loss looks at
            outputs alone; elsewhere float32. Weights, norms and losses are float32 always.

    Raises:
        pydantic.ValidationError: A `ValueError`; an unknown field or a value out of range.

    Example:
        >>> TrainingConfig(target_column="income").training_mode
        'mlp_dense'
    """

    added_later = frozenset(
        {
            "steps",
            "max_epochs",
            "optimizer",
            "weight_decay",
            "learning_rate_schedule",
            "warmup_steps",
            "ema_decay",
            "numeric_encoding",
            "encoding_bins",
            "ensemble_size",
            "matmul_precision",
        }
    )

    target_column: Annotated[str, Field(min_length=1)]
    training_mode: TrainingMode = "mlp_dense"
    task: RequestedTask = "auto"
    test_size: Annotated[float, Field(gt=0, lt=1)] = 0.2
    validation_size: Annotated[float, Field(ge=0, lt=1)] = 0.0
    patience: Annotated[int, Field(ge=1)] | None = None
    random_seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    epochs: Annotated[int, Field(ge=1)] | None = None
    batch_size: Annotated[int, Field(ge=1)] | None = None
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    hidden_dim: Annotated[int, Field(ge=1, le=65_536)] = 128
    num_hidden_layers: Annotated[int, Field(ge=1, le=64)] = 2
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    steps: Annotated[int, Field(ge=1)] | None = None
    max_epochs: Annotated[int, Field(ge=1)] | None = None
    optimizer: Optimizer = "adam"
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    learning_rate_schedule: RateSchedule = "constant"
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    ema_decay: Annotated[float, Field(gt=0, lt=1)] | None = None
    numeric_encoding: NumericEncoding = "scaled"
    encoding_bins: Annotated[int, Field(ge=2, le=1_024)] = 24
    ensemble_size: Annotated[int, Field(ge=2, le=64)] = 8
    matmul_precision: MatmulPrecision = "float32"

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if self.test_size + self.validation_size >= 1:
            rule = "plus test_size must be below 1, or no row is left to train on"
            raise fields_disagree("validation_size", rule, self.validation_size)
        if self.patience is not None and not self.validation_size:
            rule = "needs a validation_size above 0, or there is no validation loss to wait for"
            raise fields_disagree("patience", rule, self.patience)
        if self.steps is not None and self.epochs is not None:
            rule = "stands in for epochs: leave one of the two out"
            raise fields_disagree("steps", rule, self.steps)
        if self.max_epochs is not None and self.steps is None:
            raise fields_disagree("max_epochs", "is a limit of steps: give both", self.max_epochs)
        return self
