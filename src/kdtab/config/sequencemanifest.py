"""What a bundle of a sequence network says about itself."""

from __future__ import annotations

from typing import Literal

from pydantic import TypeAdapter

from kdtab.config.base import FrozenConfig
from kdtab.config.manifest import Count, Names
from kdtab.config.sequencenetworks import SequenceSpec
from kdtab.config.sequences import Backend, TrajectoryRequest
from kdtab.config.timepooling import TimePooling


class SequenceProvenance(FrozenConfig):
    """Where a sequence network comes from; every field optional, none changes a state.

    Attributes:
        kdtab_version: The kdtab that trained it.
        backend: With what it was trained.
        random_seed: Of weights and batches.
        epochs: Passes over the training series, at most.
        best_epoch: The epoch whose weights these are.
        batch_size: Series of one step.
        learning_rate: Adam's step size.
        update_steps: Steps that changed weights.
        training_series: Series that changed weights.
        validation_series: Series that chose the epoch.
        time_pooling: What of the time course was compared.
        paradigm: What it learned from.
        teacher_fingerprint: Whose states it learned.
        source_sha256: Digest of the file of inputs.
        request: Which of its series, and what was done to their inputs.
        notes: What a person should know.

    Example:
        >>> SequenceProvenance(backend="jax").backend
        'jax'
    """

    kdtab_version: str | None = None
    backend: Backend | None = None
    random_seed: Count | None = None
    epochs: Count | None = None
    best_epoch: Count | None = None
    batch_size: Count | None = None
    learning_rate: float | None = None
    update_steps: Count | None = None
    training_series: Count | None = None
    validation_series: Count | None = None
    time_pooling: TimePooling | None = None
    paradigm: str | None = None
    teacher_fingerprint: str | None = None
    source_sha256: str | None = None
    request: TrajectoryRequest | None = None
    notes: Names = ()


class SequenceManifest(FrozenConfig):
    """All of a sequence network but its numbers.

    Attributes:
        kind: "sequence".
        format_version: 1.
        network: From which the module is built.
        provenance: Where it comes from.

    Example:
        >>> from kdtab.config.sequencenetworks import GruLayer
        >>> SequenceManifest(network=SequenceSpec(input_dim=1, layers=(GruLayer(dim=1),))).kind
        'sequence'
    """

    kind: Literal["sequence"] = "sequence"
    format_version: Literal[1] = 1
    network: SequenceSpec
    provenance: SequenceProvenance = SequenceProvenance()


SEQUENCE_MANIFESTS: TypeAdapter[SequenceManifest] = TypeAdapter(SequenceManifest)
