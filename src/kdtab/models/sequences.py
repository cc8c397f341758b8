"""Networks of time series: a stack of layers whose last states are the output."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from returns.result import Success
from torch import Tensor, nn

from kdtab.config.manifest import canonical_json
from kdtab.config.sequencemanifest import SequenceManifest, SequenceProvenance
from kdtab.config.sequencenetworks import SequenceSpec
from kdtab.errors.bundles import BundleContradiction
from kdtab.models.sequencelayers import build_layer
from kdtab.models.weights import weight_arrays, weights_fingerprint
from kdtab.record import WEIGHTS, Array, SequenceRecord, sequence_contradictions
from kdtab.results import Checked, fail


class SequenceNetwork(nn.Module):
    """Inputs at T steps to the last layer's states at T + 1 moments, t = 0 included.

    In one step every layer sees what the layer before it came to in that same step.

    Args:
        spec: The plain data that it is built from.

    Attributes:
        spec: The same; enough to build an equal network and load its weights.
        layers: From the inputs to the outputs.

    Example:
        >>> from kdtab.config.sequencenetworks import BasicLayer, GruLayer
        >>> network = SequenceNetwork(SequenceSpec(input_dim=3, layers=(GruLayer(dim=8), BasicLayer(dim=2))))
        >>> network(torch.zeros(4, 10, 3)).shape
        torch.Size([4, 11, 2])
    """

    def __init__(self, spec: SequenceSpec) -> None:
        super().__init__()
        self.spec = spec
        widths = (spec.input_dim, *(layer.dim for layer in spec.layers))
        self.layers = nn.ModuleList(
            build_layer(layer, width) for layer, width in zip(spec.layers, widths, strict=False)
        )

    if TYPE_CHECKING:

        def __call__(self, inputs: Tensor) -> Tensor:
            """`forward`, with the hooks of torch."""
            ...

    def forward(self, inputs: Tensor) -> Tensor:
        """The time course of the last layer.

        Args:
            inputs: [B, T, D_in] float, T of at least 1.

        Returns:
            [B, T + 1, D_out] states; those at t = 0 are zero.

        Example:
            >>> from kdtab.config.sequencenetworks import BasicLayer
            >>> network = SequenceNetwork(SequenceSpec(input_dim=1, layers=(BasicLayer(dim=1),)))
            >>> network.forward(torch.ones(1, 1, 1))[0, 0].item()
            0.0
        """
        states = inputs
        for layer in self.layers:
            states = layer(states)  # [B, T, D]: after each step
        return nn.functional.pad(states, (0, 0, 1, 0))


@dataclass(frozen=True, eq=False)
class SequenceBundle:
    """A sequence network and where it comes from; change one with `dataclasses.replace`.

    Attributes:
        network: [B, T, input_dim] to [B, T + 1, output_dim].
        provenance: Where it comes from.

    Example:
        >>> bundle = new_sequence_bundle(example_spec(), random_seed=0)
        >>> bundle.input_dim, bundle.output_dim, bundle.parameter_count
        (2, 1, 7)
    """

    network: SequenceNetwork
    provenance: SequenceProvenance = field(default_factory=SequenceProvenance)

    @property
    def input_dim(self) -> int:
        """D_in, the inputs at a step.

        Example:
            >>> new_sequence_bundle(example_spec(), random_seed=0).input_dim
            2
        """
        return self.network.spec.input_dim

    @property
    def output_dim(self) -> int:
        """D_out, the states at a step.

        Example:
            >>> new_sequence_bundle(example_spec(), random_seed=0).output_dim
            1
        """
        return self.network.spec.output_dim

    @property
    def parameter_count(self) -> int:
        """How many numbers training may change.

        Example:
            >>> new_sequence_bundle(example_spec(), random_seed=0).parameter_count
            7
        """
        return sum(parameter.numel() for parameter in self.network.parameters())

    @property
    def fingerprint(self) -> str:
        """The sha256 of layers and weights; provenance, device and mode do not count.

        Example:
            >>> bundle = new_sequence_bundle(example_spec(), random_seed=0)
            >>> bundle.fingerprint == new_sequence_bundle(example_spec(), random_seed=1).fingerprint
            False
        """
        spec = canonical_json(self.network.spec.model_dump(mode="json"))
        parts = f"{spec}\n{weights_fingerprint(self.network)}"
        return hashlib.sha256(parts.encode("ascii")).hexdigest()


def new_sequence_bundle(spec: SequenceSpec, random_seed: int) -> SequenceBundle:
    """An untrained network; torch's global generator is not touched.

    Args:
        spec: Its layers.
        random_seed: Of its weights.

    Returns:
        A bundle with a network on the CPU, in eval mode.

    Example:
        >>> new_sequence_bundle(example_spec(), random_seed=0).network.training
        False
    """
    with torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(random_seed)
        network = SequenceNetwork(spec).eval()
    return SequenceBundle(network, SequenceProvenance(random_seed=random_seed))


def to_sequence_record(bundle: SequenceBundle) -> Checked[SequenceRecord]:
    """A sequence bundle as plain data.

    Args:
        bundle: Any bundle.

    Returns:
        The record, with copies of all numbers; or `BundleContradiction` for a network that was
        changed since it was built, or whose weights are not finite.

    Example:
        >>> record = to_sequence_record(new_sequence_bundle(example_spec(), random_seed=0)).unwrap()
        >>> sorted(record.arrays)[0]
        'weights/layers.0.bias'
    """
    network = bundle.network
    with torch.device("meta"):
        skeleton = SequenceNetwork(network.spec)
    if repr(network) != repr(skeleton):
        changed = "its network was changed since it was built and is not what its spec says"
        return fail(BundleContradiction(reason=changed))
    manifest = SequenceManifest(network=network.spec, provenance=bundle.provenance)
    return _consistent(SequenceRecord(manifest, weight_arrays(network)))


def from_sequence_record(record: SequenceRecord, device: torch.device) -> Checked[SequenceBundle]:
    """The sequence bundle that a record describes.

    Args:
        record: Any record; nothing in it is trusted.
        device: Where the network shall live.

    Returns:
        The bundle, its network in eval mode and its weights equal to the bit; or
        `BundleContradiction` for each way in which the record denies itself.

    Example:
        >>> bundle = new_sequence_bundle(example_spec(), random_seed=0)
        >>> record = to_sequence_record(bundle).unwrap()
        >>> from_sequence_record(record, torch.device("cpu")).unwrap().fingerprint == bundle.fingerprint
        True
    """
    return _consistent(record).map(
        lambda found: SequenceBundle(
            network_of_arrays(found.manifest.network, found.arrays, device),
            found.manifest.provenance,
        )
    )


def network_of_arrays(
    spec: SequenceSpec, arrays: Mapping[str, Array], device: torch.device
) -> SequenceNetwork:
    """The network of a spec with these weights, in eval mode; torch's generator is not touched.

    Args:
        spec: Its layers.
        arrays: float32 weights under `weights/…`; copied.
        device: Where the network shall live.

    Returns:
        The network, its weights equal to the arrays to the bit.

    Raises:
        RuntimeError: On weights of another network; `sequence_contradictions` tells before.

    Example:
        >>> bundle = new_sequence_bundle(example_spec(), random_seed=0)
        >>> arrays = weight_arrays(bundle.network)
        >>> network_of_arrays(example_spec(), arrays, torch.device("cpu")).training
        False
    """
    with torch.device("meta"):
        network = SequenceNetwork(spec)
    tensors = {
        name.removeprefix(WEIGHTS): torch.from_numpy(np.array(array))
        for name, array in arrays.items()
    }
    network.load_state_dict(tensors, assign=True)
    return network.to(device).eval()


def example_spec() -> SequenceSpec:
    """A small network, for examples.

    Returns:
        Two inputs, one dendrite, one dense unit.

    Example:
        >>> example_spec().output_dim
        1
    """
    from_inputs = {"type": "SingleDendrite", "dim": 1}
    to_output = {"type": "BasicLayer", "dim": 1}
    return SequenceSpec.model_validate_json(
        canonical_json({"input_dim": 2, "layers": [from_inputs, to_output]})
    )


def _consistent(record: SequenceRecord) -> Checked[SequenceRecord]:
    reasons = sequence_contradictions(record)
    if reasons:
        return fail(*(BundleContradiction(reason=reason) for reason in reasons))
    return Success(record)
