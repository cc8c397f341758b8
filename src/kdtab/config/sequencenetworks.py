"""Networks of time series as a list of layers: plain data from which a module is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias, assert_never

from pydantic import Field

from kdtab.config.base import FrozenConfig, parse_config
from kdtab.config.networks import Dimension, HiddenDimension
from kdtab.errors.configs import FieldInvalid, FieldMissing
from kdtab.errors.issue import Issues
from kdtab.results import Checked, fail

Activation: TypeAlias = Literal["linear", "tanh", "relu"]
Shape: TypeAlias = tuple[int, ...]
Positive: TypeAlias = Annotated[float, Field(gt=0, le=1e6)]
MOST_LAYERS = 64
GATES = {"GRU": 3, "LSTM": 4}


class SingleDendriteLayer(FrozenConfig):
    """Leaky integrators with a saturating drive; `models/sequencelayers.py` has the equation.

    Attributes:
        type: "SingleDendrite".
        dim: D, how many dendrites.
        time_step: Δt from one step of the series to the next, in the unit of the time constants.

    Example:
        >>> SingleDendriteLayer(dim=25).time_step
        1.0
    """

    type: Literal["SingleDendrite"] = "SingleDendrite"
    dim: HiddenDimension
    time_step: Positive = 1.0


class BasicLayer(FrozenConfig):
    """A dense layer without memory: s_{t+1} = activation(W u_t + b).

    Attributes:
        type: "BasicLayer".
        dim: D, how many units.
        activation: What is applied to each unit; in a list of layers that names none, the last
            layer is linear and the others tanh.

    Example:
        >>> BasicLayer(dim=2).activation
        'linear'
    """

    type: Literal["BasicLayer"] = "BasicLayer"
    dim: HiddenDimension
    activation: Activation = "linear"


class GruLayer(FrozenConfig):
    """Gated recurrent units (Cho et al., arXiv:1406.1078).

    Attributes:
        type: "GRU".
        dim: D, how many units.

    Example:
        >>> GruLayer(dim=16).type
        'GRU'
    """

    type: Literal["GRU"] = "GRU"
    dim: HiddenDimension


class LstmLayer(FrozenConfig):
    """Long short-term memory units (Hochreiter and Schmidhuber, 1997); their state is h.

    Attributes:
        type: "LSTM".
        dim: D, how many units.

    Example:
        >>> LstmLayer(dim=16).type
        'LSTM'
    """

    type: Literal["LSTM"] = "LSTM"
    dim: HiddenDimension


SequenceLayer: TypeAlias = Annotated[
    SingleDendriteLayer | BasicLayer | GruLayer | LstmLayer, Field(discriminator="type")
]
LAYER_TYPES = ("SingleDendrite", "BasicLayer", "GRU", "LSTM")


class SequenceSpec(FrozenConfig):
    """A stack of layers: inputs [B, T, D_in] to the last layer's states [B, T + 1, D_out].

    Attributes:
        input_dim: D_in, the inputs at a step.
        layers: From the inputs to the outputs.

    Example:
        >>> SequenceSpec(input_dim=3, layers=(GruLayer(dim=8), BasicLayer(dim=2))).output_dim
        2
    """

    input_dim: Dimension
    layers: Annotated[
        tuple[SequenceLayer, ...], Field(strict=False, min_length=1, max_length=MOST_LAYERS)
    ]

    @property
    def output_dim(self) -> int:
        """D_out: the units of the last layer.

        Example:
            >>> SequenceSpec(input_dim=3, layers=(GruLayer(dim=8),)).output_dim
            8
        """
        return self.layers[-1].dim


def sequence_spec(layers: object, input_dim: int | None = None) -> Checked[SequenceSpec]:
    """The network of a list of layers, as seed 001 writes it.

    Args:
        layers: `[{"type": "SingleDendrite", "dim": 25}, {"type": "BasicLayer", "dim": 2}]`.
        input_dim: Inputs at a step; None: as many as the first layer has units.

    Returns:
        The spec with nothing left open; or `FieldMissing`, `FieldInvalid`, `FieldUnknown` for each
        field that is wrong.

    Example:
        >>> spec = sequence_spec([{"type": "BasicLayer", "dim": 8}, {"type": "BasicLayer", "dim": 2}])
        >>> spec.unwrap().input_dim, [layer.activation for layer in spec.unwrap().layers]
        (8, ['tanh', 'linear'])
        >>> sequence_spec([{"type": "Gru", "dim": 8}]).failure().first.known
        ('SingleDendrite', 'BasicLayer', 'GRU', 'LSTM')
    """
    if not isinstance(layers, list | tuple) or not layers:
        rule = "must be a list of layers, at least one"
        return fail(FieldInvalid(name="layers", rule=rule, found=str(layers)))
    problems = [
        problem for place, layer in enumerate(layers) for problem in _type_problems(place, layer)
    ]
    if problems:
        return fail(*problems)
    filled = [
        _with_activation(dict(layer), is_last=place == len(layers) - 1)
        for place, layer in enumerate(layers)
    ]
    width = filled[0].get("dim") if input_dim is None else input_dim
    parsed = parse_config(SequenceSpec, {"input_dim": width, "layers": filled})
    return parsed.alt(_without_types).alt(
        lambda issues: _said(issues, width_said=input_dim is not None)
    )


def weight_shapes(spec: SequenceSpec) -> dict[str, Shape]:
    """The float32 arrays of a network, by name.

    Args:
        spec: Which network.

    Returns:
        Shapes by `layers.{place}.{name}`.

    Example:
        >>> weight_shapes(SequenceSpec(input_dim=3, layers=(BasicLayer(dim=2),)))
        {'layers.0.weight': (2, 3), 'layers.0.bias': (2,)}
    """
    shapes: dict[str, Shape] = {}
    width = spec.input_dim
    for place, layer in enumerate(spec.layers):
        shapes |= {
            f"layers.{place}.{name}": shape for name, shape in layer_shapes(layer, width).items()
        }
        width = layer.dim
    return shapes


def layer_shapes(
    layer: SingleDendriteLayer | BasicLayer | GruLayer | LstmLayer, width: int
) -> dict[str, Shape]:
    """The arrays of one layer, by name.

    Args:
        layer: Which layer.
        width: Units of the layer before it, or the inputs.

    Returns:
        Shapes by name.

    Example:
        >>> layer_shapes(GruLayer(dim=2), 5)["weight_ih"]
        (6, 5)
    """
    dense = {"weight": (layer.dim, width), "bias": (layer.dim,)}
    match layer:
        case BasicLayer():
            return dense
        case SingleDendriteLayer():
            return dense | {"log_tau": (layer.dim,), "gain": (layer.dim,)}
        case GruLayer() | LstmLayer():
            rows = GATES[layer.type] * layer.dim
            return {
                "weight_ih": (rows, width),
                "weight_hh": (rows, layer.dim),
                "bias_ih": (rows,),
                "bias_hh": (rows,),
            }
        case _:
            assert_never(layer)


def layer_list(spec: SequenceSpec) -> str:
    """A network in a few words.

    Args:
        spec: Which network.

    Returns:
        Its inputs, and the units of each layer.

    Example:
        >>> layer_list(SequenceSpec(input_dim=3, layers=(GruLayer(dim=8), BasicLayer(dim=2))))
        '3 inputs, GRU 8, BasicLayer 2'
    """
    layers = (f"{layer.type} {layer.dim}" for layer in spec.layers)
    inputs = "1 input" if spec.input_dim == 1 else f"{spec.input_dim} inputs"
    return ", ".join((inputs, *layers))


def _type_problems(place: int, layer: object) -> list[FieldInvalid | FieldMissing]:
    name = f"layers.{place}"
    if not isinstance(layer, Mapping):
        rule = "must be a layer with its type and dim"
        return [FieldInvalid(name=name, rule=rule, found=str(layer))]
    if "type" not in layer:
        return [FieldMissing(name=f"{name}.type")]
    if layer["type"] in LAYER_TYPES:
        return []
    rule = f"must be one of {', '.join(LAYER_TYPES)}"
    return [
        FieldInvalid(name=f"{name}.type", rule=rule, found=str(layer["type"]), known=LAYER_TYPES)
    ]


def _with_activation(layer: dict[str, object], *, is_last: bool) -> dict[str, object]:
    if layer["type"] != "BasicLayer" or layer.get("activation") is not None:
        return layer
    return layer | {"activation": "linear" if is_last else "tanh"}


def _said(issues: Issues, *, width_said: bool) -> Issues:
    """Only what somebody wrote: with a wrong layer, the list and a width taken from it are fine."""
    names = [getattr(issue, "name", "") for issue in issues]
    inside = any(name.startswith("layers.") for name in names)
    passed = {"layers": inside, "input_dim": inside and not width_said}
    return Issues(
        tuple(i for i, name in zip(issues, names, strict=True) if not passed.get(name, False))
    )


def _without_types(issues: Issues) -> Issues:
    """`layers.0.GRU.dim` is `layers.0.dim` to the one who wrote the list."""
    return Issues(
        tuple(
            issue.model_copy(update={"name": _plain_name(issue.name)})
            if hasattr(issue, "name")
            else issue
            for issue in issues
        )
    )


def _plain_name(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in LAYER_TYPES)
