"""A record's weights as a few matrices, without torch: BatchNorm folded into its neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias, assert_never

import numpy as np

from kdtab.config.networks import (
    BatchEnsembleSpec,
    LinearSpec,
    MlpSpec,
    NetworkSpec,
    TabResNetSpec,
)
from kdtab.data.arrays import FloatArray
from kdtab.record import WEIGHTS, Array, ArrayForm, BundleRecord, form_problems
from kdtab.serving.bins import BinnedColumn, binned_first_layer
from kdtab.serving.members import Floats, MemberLayer, folded_members, member_forms

BATCH_NORM_EPSILON = 1e-5
"""What torch's BatchNorm1d adds to a variance."""


@dataclass(frozen=True, eq=False)
class Dense:
    """h ↦ relu(h) W + b.

    Attributes:
        weight: [I, O].
        bias: [O].

    Example:
        >>> Dense(np.ones((3, 2)), np.zeros(2)).weight.shape
        (3, 2)
    """

    weight: Floats
    bias: Floats


@dataclass(frozen=True, eq=False)
class Residual:
    """h ↦ h + relu(h V + a) W + b.

    Attributes:
        inner_weight: V, [H, H].
        inner_bias: a, [H].
        outer_weight: W, [H, H].
        outer_bias: b, [H].

    Example:
        >>> Residual(np.eye(2), np.zeros(2), np.eye(2), np.zeros(2)).outer_bias.tolist()
        [0.0, 0.0]
    """

    inner_weight: Floats
    inner_bias: Floats
    outer_weight: Floats
    outer_bias: Floats


@dataclass(frozen=True, eq=False)
class Affine:
    """h ↦ h · s + t, unit by unit.

    Attributes:
        scale: s, [H].
        shift: t, [H].

    Example:
        >>> Affine(np.ones(2), np.zeros(2)).scale.tolist()
        [1.0, 1.0]
    """

    scale: Floats
    shift: Floats


Layer: TypeAlias = Dense | Residual | Affine | MemberLayer


@dataclass(frozen=True, eq=False)
class FoldedNetwork:
    """x ↦ layers(x W + bins(x) + b): what a network computes in eval mode, up to rounding.

    Attributes:
        weight: W, [D, H] float64; the first matrix stands alone, so that look-ups can replace it.
        bias: b, [H] float64.
        layers: What follows, in order; none for a linear model, of which H is the output.
        bins: The columns that enter by an encoding; their rows of W are zero.

    Example:
        >>> FoldedNetwork(np.ones((3, 2)), np.zeros(2), ()).layers
        ()
    """

    weight: FloatArray
    bias: FloatArray
    layers: tuple[Layer, ...]
    bins: tuple[BinnedColumn, ...] = ()


def network_forms(spec: NetworkSpec) -> dict[str, ArrayForm]:
    """The arrays that a network of a spec is stored as.

    Args:
        spec: Kind and sizes.

    Returns:
        Forms by `weights/` and the name in torch's state dict.

    Example:
        >>> forms = network_forms(LinearSpec(input_dim=3, output_dim=2))
        >>> {name: str(form) for name, form in forms.items()}
        {'weights/head.weight': 'float32 [2, 3]', 'weights/head.bias': 'float32 [2]'}
    """
    match spec:
        case MlpSpec(hidden_dim=width, num_hidden_layers=depth):
            widths = [spec.encoded_dim, *([width] * depth)]
            forms = {
                name: form
                for at in range(depth)
                for part in (
                    _linear_forms(f"blocks.{at}.linear", widths[at], width),
                    _norm_forms(f"blocks.{at}.norm", width),
                )
                for name, form in part.items()
            }
            forms |= _linear_forms("head", width, spec.output_dim)
        case TabResNetSpec(hidden_dim=width):
            forms = _linear_forms("stem", spec.encoded_dim, width)
            for at in range(spec.num_hidden_layers):
                forms |= _norm_forms(f"blocks.{at}.norm", width)
                forms |= _linear_forms(f"blocks.{at}.inner", width, width)
                forms |= _linear_forms(f"blocks.{at}.outer", width, width)
            forms |= _norm_forms("norm", width) | _linear_forms("head", width, spec.output_dim)
        case LinearSpec():
            forms = _linear_forms("head", spec.encoded_dim, spec.output_dim)
        case BatchEnsembleSpec():
            forms = member_forms(spec)
        case _:
            assert_never(spec)
    return {WEIGHTS + name: form for name, form in forms.items()}


def network_problems(record: BundleRecord) -> Iterator[str]:
    """What keeps a record's weights from being those of its network.

    Args:
        record: Any record.

    Yields:
        One reason for each array that is missing, too much, or of another dtype or shape.

    Example:
        >>> from kdtab.config.manifest import TableManifest
        >>> from kdtab.config.schema import TableSchema
        >>> list(network_problems(BundleRecord(TableManifest(
        ...     task="regression", target_column="y", network=LinearSpec(input_dim=3, output_dim=1),
        ...     preprocessing=(), class_names=(), table_schema=TableSchema(features=(), left_out=()),
        ... ), {"weights/head.bias": np.zeros(1, np.float32)})))
        ["array 'weights/head.weight' is missing"]
    """
    weights = {name: array for name, array in record.arrays.items() if name.startswith(WEIGHTS)}
    yield from form_problems(weights, network_forms(record.manifest.network))


def folded_network(spec: NetworkSpec, arrays: Mapping[str, Array]) -> FoldedNetwork:
    """The network of a spec with these weights, ready to compute without torch.

    BatchNorm in eval mode is x ↦ x · s + t with s = γ / √(variance + ε) and t = β − mean · s, so it
    vanishes in the Linear before it (MLP) or after it (residual block). Dropout does nothing.

    Args:
        spec: Kind and sizes.
        arrays: The weights under `weights/…`, and others that are passed over.

    Returns:
        The network, in float64.

    Example:
        >>> arrays = {"weights/head.weight": np.ones((2, 3)), "weights/head.bias": np.zeros(2)}
        >>> folded_network(LinearSpec(input_dim=3, output_dim=2), arrays).weight.shape
        (3, 2)
    """
    network = _without_encoding(spec, arrays)
    if spec.encoding is None:
        return network
    rows, bias, bins = binned_first_layer(spec.encoding, network.weight, network.bias)
    return replace(network, weight=rows, bias=bias, bins=bins)


def layer_in_float32(layer: Layer) -> Layer:
    """The same layer for speed: a product in float32 takes half the time of one in float64.

    Args:
        layer: In any precision.

    Returns:
        Its numbers as float32.

    Example:
        >>> layer_in_float32(Affine(np.ones(2), np.zeros(2))).shift.dtype
        dtype('float32')
    """
    floats = {name: array.astype(np.float32) for name, array in vars(layer).items()}
    return replace(layer, **floats)


def _without_encoding(spec: NetworkSpec, arrays: Mapping[str, Array]) -> FoldedNetwork:
    """The network of a spec, from where its encoding ends."""
    match spec:
        case LinearSpec():
            return FoldedNetwork(*_linear(arrays, "head"), ())
        case BatchEnsembleSpec():
            return FoldedNetwork(*folded_members(spec, arrays))
        case MlpSpec(num_hidden_layers=depth):
            blocks = [_folded_block(arrays, f"blocks.{at}") for at in range(depth)]
            layers = (*(Dense(*block) for block in blocks[1:]), Dense(*_linear(arrays, "head")))
            return FoldedNetwork(*blocks[0], layers)
        case TabResNetSpec(num_hidden_layers=depth):
            residuals = (_residual(arrays, f"blocks.{at}") for at in range(depth))
            head = Dense(*_linear(arrays, "head"))
            return FoldedNetwork(
                *_linear(arrays, "stem"), (*residuals, Affine(*_norm(arrays, "norm")), head)
            )
        case _:
            assert_never(spec)


def _linear_forms(name: str, in_dim: int, out_dim: int) -> dict[str, ArrayForm]:
    return {
        f"{name}.weight": ArrayForm("float32", (out_dim, in_dim)),
        f"{name}.bias": ArrayForm("float32", (out_dim,)),
    }


def _norm_forms(name: str, width: int) -> dict[str, ArrayForm]:
    parts = ("weight", "bias", "running_mean", "running_var")
    forms = {f"{name}.{part}": ArrayForm("float32", (width,)) for part in parts}
    return forms | {f"{name}.num_batches_tracked": ArrayForm("int64", ())}


def _floats(arrays: Mapping[str, Array], name: str) -> FloatArray:
    return np.asarray(arrays[WEIGHTS + name], dtype=np.float64)


def _linear(arrays: Mapping[str, Array], name: str) -> tuple[FloatArray, FloatArray]:
    weight = np.ascontiguousarray(_floats(arrays, f"{name}.weight").T)
    return weight, _floats(arrays, f"{name}.bias")


def _norm(arrays: Mapping[str, Array], name: str) -> tuple[FloatArray, FloatArray]:
    with np.errstate(invalid="ignore"):  # a variance below zero gives NaN, as it does in torch
        spread = np.sqrt(_floats(arrays, f"{name}.running_var") + BATCH_NORM_EPSILON)
    scale = _floats(arrays, f"{name}.weight") / spread
    shift = _floats(arrays, f"{name}.bias") - _floats(arrays, f"{name}.running_mean") * scale
    return scale, shift


def _folded_block(arrays: Mapping[str, Array], name: str) -> tuple[FloatArray, FloatArray]:
    """Norm(Linear(x)) as one Linear."""
    weight, bias = _linear(arrays, f"{name}.linear")
    scale, shift = _norm(arrays, f"{name}.norm")
    return weight * scale, bias * scale + shift


def _residual(arrays: Mapping[str, Array], name: str) -> Residual:
    """Linear(Norm(x)) as one Linear, in front of the outer one."""
    scale, shift = _norm(arrays, f"{name}.norm")
    weight, bias = _linear(arrays, f"{name}.inner")
    outer_weight, outer_bias = _linear(arrays, f"{name}.outer")
    return Residual(
        inner_weight=weight * scale[:, np.newaxis],
        inner_bias=bias + shift @ weight,
        outer_weight=outer_weight,
        outer_bias=outer_bias,
    )
