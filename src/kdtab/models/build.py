"""From a spec to the network that it describes."""

from __future__ import annotations

from typing import assert_never

from kdtab.config.networks import (
    BatchEnsembleSpec,
    LinearSpec,
    MlpSpec,
    NetworkSpec,
    TabResNetSpec,
)
from kdtab.models.batchensemble import BatchEnsembleNetwork
from kdtab.models.linear import LinearNetwork
from kdtab.models.mlp import MlpNetwork
from kdtab.models.network import TabularNetwork
from kdtab.models.tabresnet import TabResNetNetwork


def build_model(spec: NetworkSpec) -> TabularNetwork:
    """A new network with fresh weights from torch's global generator (REQ-KD15, REQ-T08).

    Args:
        spec: Kind and sizes.

    Returns:
        The network on the CPU, in train mode: [B, input_dim] to [B, output_dim], float32.

    Example:
        >>> build_model(LinearSpec(input_dim=3, output_dim=2))
        LinearNetwork(
          (head): Linear(in_features=3, out_features=2, bias=True)
        )
    """
    match spec:
        case MlpSpec():
            return MlpNetwork(spec)
        case TabResNetSpec():
            return TabResNetNetwork(spec)
        case LinearSpec():
            return LinearNetwork(spec)
        case BatchEnsembleSpec():
            return BatchEnsembleNetwork(spec)
        case _:
            assert_never(spec)
