"""Students of one shape side by side: their weights in one vector, one step for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from itertools import groupby
from typing import NamedTuple, final

import torch
from torch import Tensor, nn

from kdtab.config.networks import NetworkSpec
from kdtab.models.build import build_model
from kdtab.models.handwritten import Layer, forward_through, parameters_of
from kdtab.models.network import TabularNetwork
from kdtab.models.stacked import stacked_layers, statistics_of
from kdtab.models.streams import DropoutStreams
from kdtab.shell.averages import WeightAverage
from kdtab.shell.flat import FlatAdam, FlatWeights, flat_weights
from kdtab.shell.rates import rate_share_at
from kdtab.shell.seed import seeded
from kdtab.shell.settings import FitSettings
from kdtab.shell.torch_step import StepTerms
from kdtab.tasks.stacked_targets import StackedBatch, StackedTargets


class StackState(NamedTuple):
    """What the steps hand on: networks and optimizer are changed in place.

    Attributes:
        networks: One for each student, in train mode.
        steps: Weight updates of each made so far.

    Example:
        >>> StackState((), 0).steps
        0
    """

    networks: tuple[TabularNetwork, ...]
    steps: int = 0


@final
class NetworkStack:
    """Networks that take their steps together.

    Args:
        networks: Of one shape, in train mode; their parameters are parts of `flat`.
        layers: Of all of them.
        flat: Every weight.
        settings: Of each, alike but for learning rate, seed and patience.
        steps: Weight updates of the whole pass, over which a schedule stretches.

    Attributes:
        networks: The same.
        average: The running mean of all weights, where it is what will be kept.

    Example:
        >>> NetworkStack.__name__
        'NetworkStack'
    """

    def __init__(
        self,
        networks: tuple[TabularNetwork, ...],
        layers: tuple[Layer, ...],
        flat: FlatWeights,
        settings: Sequence[FitSettings],
        steps: int,
    ) -> None:
        self.networks = networks
        self.average: WeightAverage | None = None
        self._layers = layers
        self._gradients = flat.gradients
        self._steps, self._usual = steps, settings[0]
        rates = [run.learning_rate for run in settings]
        self._adams = [
            (
                rate,
                FlatAdam(
                    pieces,
                    learning_rate=rate,
                    weight_decay=self._usual.weight_decay,
                    decoupled=self._usual.optimizer == "adamw",
                ),
            )
            for rate, pieces in _pieces(flat, parameters_of(layers), rates)
        ]
        if self._usual.ema_decay is not None:
            followed = (flat.vector, *statistics_of(layers))
            self.average = WeightAverage(self._usual.ema_decay, followed)

    @torch.no_grad()
    def step(
        self, targets: StackedTargets, state: StackState, batch: StackedBatch
    ) -> tuple[StackState, StepTerms]:
        """Forward, gradient, update, for every student.

        Args:
            targets: What each learns.
            state: Of the steps before.
            batch: At least two rows for each.

        Returns:
            The state with one step more, and terms of [S] each.

        Example:
            >>> NetworkStack.step.__name__
            'step'
        """
        outputs, pull = forward_through(self._layers, batch.inputs)
        terms, gradient = targets.gradient(outputs, batch)
        pull(gradient, self._gradients)
        share = rate_share_at(state.steps, self._usual, steps=self._steps)
        for rate, each in self._adams:
            each.learning_rate = rate * share
            each.step()
        if self.average is not None:
            self.average.follow()
        return StackState(self.networks, state.steps + 1), StepTerms(batch.inputs.shape[1], terms)


@contextmanager
def network_stack(
    spec: NetworkSpec, settings: Sequence[FitSettings], *, steps: int
) -> Iterator[NetworkStack]:
    """Networks as each seed alone would build them, in one stack.

    Args:
        spec: Which network.
        settings: One for each student; seeds decide weights and dropout. They are alike but for
            learning rate, seed and patience.
        steps: Weight updates of the whole pass.

    Yields:
        The stack. Afterwards every network has memory of its own.

    Example:
        >>> from kdtab.config.networks import LinearSpec
        >>> spec = LinearSpec(input_dim=3, output_dim=2)
        >>> runs = [FitSettings(1, 32, learning_rate=1e-3, random_seed=seed) for seed in (1, 2)]
        >>> with network_stack(spec, runs, steps=10) as stack:
        ...     len(stack.networks)
        2
    """
    seeds = [run.random_seed for run in settings]
    different = tuple(dict.fromkeys(seeds))
    begun = {seed: _begun(spec, seed) for seed in different}
    networks = [deepcopy(begun[seed][0]) for seed in seeds]
    streams = DropoutStreams(
        [begun[seed][1] for seed in different], [different.index(seed) for seed in seeds]
    )
    own = [network.layers() for network in networks]
    layers = stacked_layers(own, streams)
    try:
        with flat_weights(parameters_of(layers)) as flat:
            for place, each in enumerate(own):
                for parameter, whole in zip(
                    parameters_of(each), parameters_of(layers), strict=True
                ):
                    parameter.data = whole.data[place].view(parameter.shape)
            yield NetworkStack(tuple(networks), layers, flat, settings, steps)
    finally:
        for network in networks:
            for tensor in (*network.parameters(), *network.buffers()):
                tensor.data = tensor.data.clone()


def _begun(spec: NetworkSpec, seed: int) -> tuple[TabularNetwork, torch.Generator]:
    """The network of a seed, and the generator that its dropout goes on with."""
    with seeded(seed):
        network, generator = build_model(spec).train(), torch.Generator()
        generator.set_state(torch.get_rng_state())
    return network, generator


def _pieces(
    flat: FlatWeights, whole: Sequence[Tensor], rates: Sequence[float]
) -> Iterator[tuple[float, list[nn.Parameter]]]:
    """The vector where all learn at one rate; else, of each parameter, the rows of each rate."""
    runs = [
        (rate, list(places)) for rate, places in groupby(range(len(rates)), lambda at: rates[at])
    ]
    if len(runs) == 1:
        yield rates[0], [flat.vector]
        return
    for rate, places in runs:
        rows = slice(places[0], places[-1] + 1)
        found = []
        for parameter, gradient in zip(whole, flat.gradients, strict=True):
            piece = nn.Parameter(parameter.data[rows])
            piece.grad = gradient[rows]
            found.append(piece)
        yield rate, found
