"""A network's weights as numpy arrays, and a network from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor, nn

from kdtab.config.manifest import canonical_json
from kdtab.config.networks import NetworkSpec
from kdtab.models.batchensemble import BatchEnsembleNetwork
from kdtab.models.build import build_model
from kdtab.models.encoding import NumericEncoding
from kdtab.models.linear import LinearNetwork
from kdtab.models.mlp import MlpNetwork
from kdtab.models.network import TabularNetwork
from kdtab.models.tabresnet import TabResNetNetwork
from kdtab.record import WEIGHTS, Array, ArrayForm, BundleRecord, form_problems

KNOWN_NETWORKS: tuple[type[TabularNetwork], ...] = (
    MlpNetwork,
    TabResNetNetwork,
    LinearNetwork,
    BatchEnsembleNetwork,
)


def weight_problems(record: BundleRecord) -> Iterator[str]:
    """What keeps a record's weights from being those of its network.

    Args:
        record: Any record; a spec of any size costs nothing.

    Yields:
        One reason for each array that is missing, too much, or of another dtype or shape.

    Example:
        >>> from kdtab.config.manifest import TableManifest
        >>> from kdtab.config.networks import LinearSpec
        >>> from kdtab.config.schema import TableSchema
        >>> list(weight_problems(BundleRecord(TableManifest(
        ...     task="regression", target_column="y", network=LinearSpec(input_dim=3, output_dim=1),
        ...     preprocessing=(), class_names=(), table_schema=TableSchema(features=(), left_out=()),
        ... ), {"weights/head.bias": np.zeros(1, np.float32)})))
        ["array 'weights/head.weight' is missing"]
    """
    forms = _forms(_skeleton(record.manifest.network))
    yield from form_problems(
        {name: array for name, array in record.arrays.items() if name.startswith(WEIGHTS)},
        {WEIGHTS + name: form for name, form in forms.items()},
    )


def is_as_built(model: TabularNetwork) -> bool:
    """Whether a network still is what its spec says, whatever its numbers are.

    Args:
        model: A network that a user may have changed since it was built.

    Returns:
        False when a layer, a rate, a shape or a dtype differs.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> is_as_built(build_model(LinearSpec(input_dim=3, output_dim=2)))
        True
        >>> is_as_built(build_model(LinearSpec(input_dim=3, output_dim=2)).double())
        False
    """
    skeleton = _skeleton(model.spec)
    return repr(model) == repr(skeleton) and _forms(model) == _forms(skeleton)


def weight_arrays(model: nn.Module) -> dict[str, Array]:
    """Read-only copies of a network's weights; the network stays as and where it is.

    Args:
        model: On any device, in any mode.

    Returns:
        Arrays by `weights/` and their name in the state dict, dtypes kept.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> sorted(weight_arrays(build_model(LinearSpec(input_dim=3, output_dim=2))))
        ['weights/head.bias', 'weights/head.weight']
    """
    return {WEIGHTS + name: _read_only_copy(tensor) for name, tensor in _state(model).items()}


def network_with_weights(
    spec: NetworkSpec, arrays: Mapping[str, Array], device: torch.device
) -> TabularNetwork:
    """The network of a spec with these weights, in eval mode; torch's generator is not touched.

    Args:
        spec: Kind and sizes.
        arrays: The weights under `weights/…`, and others that are passed over; copied.
        device: Where the network shall live.

    Returns:
        The network, its weights equal to the arrays to the bit.

    Raises:
        RuntimeError: On weights of another network; `weight_problems` tells before.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> spec = LinearSpec(input_dim=3, output_dim=2)
        >>> arrays = weight_arrays(build_model(spec))
        >>> network_with_weights(spec, arrays, torch.device("cpu")).training
        False
    """
    network = _skeleton(spec)
    tensors = {
        name.removeprefix(WEIGHTS): torch.from_numpy(np.array(array))
        for name, array in arrays.items()
        if name.startswith(WEIGHTS)
    }
    network.load_state_dict(tensors, assign=True)
    return network.to(device).eval()


def weights_fingerprint(model: nn.Module) -> str:
    """The sha256 of a network's weights and encoding, whatever its type, device and mode.

    Args:
        model: Any module of dense tensors.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> weights_fingerprint(nn.Identity()) == weights_fingerprint(nn.Identity().eval())
        True
    """
    digest = hashlib.sha256()
    for name, module in model.named_modules():
        if isinstance(module, NumericEncoding):  # not in the state dict, and yet it decides
            digest.update(f"{name!a} {canonical_json(module.spec.model_dump())}\n".encode("ascii"))
    for name, tensor in sorted(_state(model).items()):
        digest.update(f"{name!a} {tensor.dtype} {tuple(tensor.shape)}\n".encode("ascii"))
        digest.update(_on_cpu(tensor).reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _skeleton(spec: NetworkSpec) -> TabularNetwork:
    # The meta device holds no numbers: a spec of any size costs nothing before a file is believed.
    with torch.device("meta"):
        return build_model(spec)


def _forms(model: nn.Module) -> dict[str, ArrayForm]:
    return {
        name: ArrayForm(str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape))
        for name, tensor in _state(model).items()
    }


def _state(model: nn.Module) -> dict[str, Tensor]:
    return {name: value for name, value in model.state_dict().items() if isinstance(value, Tensor)}


def _on_cpu(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().contiguous()


def _read_only_copy(tensor: Tensor) -> Array:
    copy: Array = _on_cpu(tensor).numpy().copy()
    copy.setflags(write=False)
    return copy
