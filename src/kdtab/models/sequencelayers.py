"""The layers of sequence networks in torch; `models/jaxsequences.py` has the same equations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

import torch
from torch import Tensor, nn

from kdtab.config.sequencenetworks import (
    BasicLayer,
    GruLayer,
    LstmLayer,
    SequenceLayer,
    SingleDendriteLayer,
    layer_shapes,
)

SHORTEST_TAU = 1.0
LONGEST_TAU = 30.0
"""Time constants at the start, in steps: drawn between them, evenly on a logarithmic scale."""


class StatefulLayer(nn.Module):
    """Base of all layers: what came in at each step in, its state after each step out.

    Every state at t = 0 is zero.

    Args:
        spec: Which layer.
        width: Units of the layer before it, or the inputs.

    Example:
        >>> StatefulLayer(BasicLayer(dim=2), 3).spec.dim
        2
    """

    def __init__(self, spec: SequenceLayer, width: int) -> None:
        super().__init__()
        self.spec = spec
        for name, shape in layer_shapes(spec, width).items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape)))
        self.draw_weights(width)

    if TYPE_CHECKING:

        def __call__(self, inputs: Tensor) -> Tensor:
            """`forward`, with the hooks of torch."""
            ...

    def draw_weights(self, width: int) -> None:
        """Fresh weights from torch's global generator: uniform in ±1/√(incoming units).

        Args:
            width: Units of the layer before it, or the inputs.

        Example:
            >>> layer = StatefulLayer(BasicLayer(dim=2), 4)
            >>> layer.draw_weights(4)
            >>> bool(layer.weight.abs().max() <= 0.5)
            True
        """
        recurrent = isinstance(self.spec, GruLayer | LstmLayer)
        bound = 1 / math.sqrt(self.spec.dim if recurrent else width)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        """The layer's spec, so that a changed one is seen.

        Returns:
            Its fields.

        Example:
            >>> StatefulLayer(GruLayer(dim=2), 3).extra_repr()
            "type='GRU' dim=2"
        """
        return str(self.spec)


class DendriteStates(StatefulLayer):
    """Leaky integrators with a saturating drive.

    A dendrite obeys τ · ds/dt = κ · tanh(φ(t)) − s(t), φ = W u + b: it leaks with the time constant
    τ (in the unit of Δt, `time_step`) towards its drive, which saturates at ±κ (`gain`, in the unit
    of the state). The drive is constant from one step to the next, and so the equation is solved
    exactly:

        s_{t+1} = a · s_t + (1 − a) · κ · tanh(W u_t + b),   a = exp(−Δt / τ),   s_0 = 0

    u_t is what comes in during step t, s_{t+1} the state at its end. Stability: τ = exp(log_tau) is
    above 0, hence 0 ≤ a ≤ 1, and with any weights and inputs |s_t| ≤ max(|s_0|, |κ|) for all t. Two
    states under the same inputs come closer by the factor a in every step. (Forward Euler, with
    1 − Δt/τ in place of a, diverges where Δt > 2τ.)

    Example:
        >>> layer = DendriteStates(SingleDendriteLayer(dim=4), 3)
        >>> layer(torch.randn(2, 50, 3) * 1e6).abs().max().item() <= 1.0
        True
    """

    weight: Tensor
    bias: Tensor
    log_tau: Tensor
    gain: Tensor

    def draw_weights(self, width: int) -> None:
        """Dense weights as in any layer, gains of 1, time constants of 1 to 30 steps.

        Args:
            width: Units of the layer before it, or the inputs.

        Example:
            >>> layer = DendriteStates(SingleDendriteLayer(dim=4), 3)
            >>> layer.draw_weights(3)
            >>> layer.gain.tolist()
            [1.0, 1.0, 1.0, 1.0]
        """
        super().draw_weights(width)
        assert isinstance(self.spec, SingleDendriteLayer)
        unit = math.log(self.spec.time_step)
        nn.init.uniform_(self.log_tau, unit + math.log(SHORTEST_TAU), unit + math.log(LONGEST_TAU))
        nn.init.ones_(self.gain)

    def forward(self, inputs: Tensor) -> Tensor:
        """The states after each step.

        Args:
            inputs: [B, T, U] float.

        Returns:
            [B, T, D] s_1 … s_T.

        Example:
            >>> DendriteStates(SingleDendriteLayer(dim=4), 3).forward(torch.zeros(2, 5, 3)).shape
            torch.Size([2, 5, 4])
        """
        assert isinstance(self.spec, SingleDendriteLayer)
        rate = self.spec.time_step * torch.exp(-self.log_tau)
        retained, taken = torch.exp(-rate), -torch.expm1(-rate)
        drive = torch.tanh(nn.functional.linear(inputs, self.weight, self.bias))
        return leaky_states(retained, taken * self.gain * drive)


class DenseStates(StatefulLayer):
    """s_{t+1} = activation(W u_t + b): no memory.

    Example:
        >>> DenseStates(BasicLayer(dim=2), 3)(torch.zeros(1, 4, 3)).shape
        torch.Size([1, 4, 2])
    """

    weight: Tensor
    bias: Tensor

    def forward(self, inputs: Tensor) -> Tensor:
        """The states after each step.

        Args:
            inputs: [B, T, U] float.

        Returns:
            [B, T, D] s_1 … s_T.

        Example:
            >>> DenseStates(BasicLayer(dim=2), 3).forward(torch.zeros(2, 5, 3)).shape
            torch.Size([2, 5, 2])
        """
        assert isinstance(self.spec, BasicLayer)
        values = nn.functional.linear(inputs, self.weight, self.bias)
        match self.spec.activation:
            case "linear":
                return values
            case "tanh":
                return torch.tanh(values)
            case "relu":
                return torch.relu(values)
            case _:
                assert_never(self.spec.activation)


class GatedStates(StatefulLayer):
    """A GRU or an LSTM with the equations, names and orders of `torch.nn.GRU` and `torch.nn.LSTM`.

    Example:
        >>> GatedStates(LstmLayer(dim=2), 3)(torch.zeros(1, 4, 3)).shape
        torch.Size([1, 4, 2])
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor
    bias_hh: Tensor

    def forward(self, inputs: Tensor) -> Tensor:
        """The states h after each step.

        Args:
            inputs: [B, T, U] float.

        Returns:
            [B, T, D] h_1 … h_T.

        Example:
            >>> GatedStates(GruLayer(dim=2), 3).forward(torch.zeros(2, 5, 3)).shape
            torch.Size([2, 5, 2])
        """
        weights = (self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        start = inputs.new_zeros(1, len(inputs), self.spec.dim)
        # biases, one layer, no dropout, train mode, one direction, batch first
        settings = (True, 1, 0.0, self.training, False, True)
        if isinstance(self.spec, GruLayer):
            return torch.gru(inputs, start, weights, *settings)[0]
        return torch.lstm(inputs, (start, start), weights, *settings)[0]


def leaky_states(retained: Tensor, drive: Tensor) -> Tensor:
    """s_{t+1} = a · s_t + d_t from s_0 = 0: the integrator alone.

    Args:
        retained: [D] a, the share of a state that is left after a step.
        drive: [B, T, D] d.

    Returns:
        [B, T, D] s_1 … s_T.

    Example:
        >>> leaky_states(torch.tensor([0.5]), torch.tensor([[[1.0], [2.0], [3.0]]])).ravel()
        tensor([1.0000, 2.5000, 4.2500])
    """
    steps = drive.unbind(1)
    states = [steps[0]]
    for step in steps[1:]:
        states.append(torch.addcmul(step, retained, states[-1]))
    return torch.stack(states, 1)


def build_layer(spec: SequenceLayer, width: int) -> StatefulLayer:
    """A new layer with fresh weights from torch's global generator.

    Args:
        spec: Which layer.
        width: Units of the layer before it, or the inputs.

    Returns:
        The layer on the CPU, in train mode.

    Example:
        >>> build_layer(GruLayer(dim=2), 3)
        GatedStates(type='GRU' dim=2)
    """
    match spec:
        case SingleDendriteLayer():
            return DendriteStates(spec, width)
        case BasicLayer():
            return DenseStates(spec, width)
        case GruLayer() | LstmLayer():
            return GatedStates(spec, width)
        case _:
            assert_never(spec)
