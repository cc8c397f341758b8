"""One step in JAX, and the parts that it brings to the one loop. JAX and optax are an extra."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from returns.result import Success

from kdtab.config.sequencenetworks import SequenceSpec
from kdtab.config.timepooling import AnyPooling
from kdtab.data.arrays import Float32Array
from kdtab.errors.training import LossNotFinite
from kdtab.losses.jaxsequences import jax_trajectory_loss
from kdtab.models.jaxsequences import (
    JaxWeights,
    arrays_of_jax_weights,
    check_jax,
    jax_states,
    jax_weights,
)
from kdtab.models.sequences import SequenceNetwork, network_of_arrays
from kdtab.models.weights import weight_arrays
from kdtab.record import Array
from kdtab.results import Checked, fail
from kdtab.shell.fit import FitSettings
from kdtab.shell.loop import LoopEnd, LoopParts, LoopPlan, run_loop
from kdtab.shell.progress import SILENT, Progress
from kdtab.shell.sequencebatches import SeriesOrders, SeriesRows, series_chunks
from kdtab.shell.sequences_fit import FittedSequence

if TYPE_CHECKING:
    import jax
    import optax


class JaxState(NamedTuple):
    """What the steps hand on; no value in it is ever changed.

    Attributes:
        weights: By name.
        optimizer: The optimizer's own.

    Example:
        >>> JaxState._fields
        ('weights', 'optimizer')
    """

    weights: JaxWeights
    optimizer: optax.OptState


class JaxBatch(NamedTuple):
    """The series of one step.

    Attributes:
        inputs: [B, T, D_in] float32.
        targets: [B, S, D_out] float32 states, S of T + 1 or T.
        weights: [B, S] what each state counts for.

    Example:
        >>> JaxBatch._fields
        ('inputs', 'targets', 'weights')
    """

    inputs: jax.Array
    targets: jax.Array
    weights: jax.Array


class JaxTerms(NamedTuple):
    """The loss of one step, and how many series it is the mean of.

    Example:
        >>> joined_losses([JaxTerms(1, np.float32(1.0)), JaxTerms(3, np.float32(2.0))])
        JaxTerms(series=4, loss=np.float64(1.75))
    """

    series: int
    loss: jax.Array | np.floating


def jax_sequence_states(
    spec: SequenceSpec, arrays: Mapping[str, Array], inputs: Float32Array
) -> Float32Array:
    """A network's time courses, computed in JAX.

    Args:
        spec: Which network.
        arrays: Its weights under `weights/…`.
        inputs: [N, T, D_in] float32.

    Returns:
        [N, T + 1, D_out] float32 on the host.

    Example:
        >>> from kdtab.models.sequences import example_spec, new_sequence_bundle
        >>> bundle = new_sequence_bundle(example_spec(), random_seed=0)
        >>> arrays = weight_arrays(bundle.network)
        >>> jax_sequence_states(example_spec(), arrays, np.zeros((2, 3, 2), np.float32)).shape
        (2, 4, 1)
    """
    weights, states = jax_weights(arrays), _compiled_states(spec)
    parts = [np.asarray(states(weights, inputs[part])) for part in series_chunks(len(inputs))]
    return np.concatenate(parts)


def fit_sequence_network_in_jax(
    network: SequenceNetwork,
    pooling: AnyPooling,
    training: SeriesRows,
    validation: SeriesRows | None,
    settings: FitSettings,
    *,
    progress: Progress = SILENT,
) -> Checked[FittedSequence]:
    """Fit a copy of a network to a teacher's time courses: `fit_sequence_network` in JAX.

    The same seed draws the same batches as in torch, so both come to the same weights but for
    rounding.

    Args:
        network: Where the weights start; not changed.
        pooling: What is compared.
        training: The series to fit, with states as targets.
        validation: Series whose loss chooses the epoch; None takes the last epoch.
        settings: How long and how fast.
        progress: Hears of steps and epochs.

    Returns:
        The fitted network, a torch module on the CPU; or `ExtraMissing`, `LossNotFinite`.

    Example:
        >>> from kdtab.config.timepooling import WholeCourse
        >>> from kdtab.models.sequences import example_spec, new_sequence_bundle
        >>> start = new_sequence_bundle(example_spec(), random_seed=0).network
        >>> rows = SeriesRows(
        ...     np.ones((3, 4, 2), np.float32), np.ones((3, 5, 1), np.float32), np.full(3, 4)
        ... )
        >>> settings = FitSettings(epochs=2, batch_size=2, learning_rate=0.1, random_seed=0)
        >>> fit_sequence_network_in_jax(start, WholeCourse(), rows, None, settings).unwrap().backend
        'jax'
    """
    return check_jax().bind(
        lambda _: _fit(network, pooling, training, validation, settings, progress)
    )


def joined_losses(steps: Sequence[JaxTerms]) -> JaxTerms:
    """The losses of many steps as one mean over their series, in float64.

    Args:
        steps: At least one.

    Returns:
        All their series, and the mean loss; this waits for the device.

    Example:
        >>> joined_losses([JaxTerms(2, np.float32(0.5))])
        JaxTerms(series=2, loss=np.float64(0.5))
    """
    series = [step.series for step in steps]
    losses = np.array([float(step.loss) for step in steps])
    return JaxTerms(sum(series), np.average(losses, weights=series))


@lru_cache(maxsize=16)
def _compiled_states(spec: SequenceSpec) -> Callable[[JaxWeights, Float32Array], jax.Array]:
    """Compiled once for each shape of the inputs: a teacher is asked batch by batch."""
    import jax

    return jax.jit(partial(jax_states, spec))


def _fit(
    network: SequenceNetwork,
    pooling: AnyPooling,
    training: SeriesRows,
    validation: SeriesRows | None,
    settings: FitSettings,
    progress: Progress,
) -> Checked[FittedSequence]:
    orders = SeriesOrders(
        len(training.inputs), batch_size=settings.batch_size, seed=settings.random_seed
    )
    plan = LoopPlan(settings.epochs, orders.steps_per_epoch, settings.patience)
    optimizer = _adam(settings)
    weights = jax_weights(weight_arrays(network))
    parts = _parts(network.spec, pooling, training, validation, orders, optimizer)
    end = run_loop(JaxState(weights, optimizer.init(weights)), plan, parts, progress)
    return end.bind(lambda found: _fitted(network.spec, found, plan))


def _adam(settings: FitSettings) -> optax.GradientTransformation:
    """Adam with L2 weight decay, with the constants of torch."""
    import optax

    decay = optax.add_decayed_weights(settings.weight_decay)
    return optax.chain(decay, optax.adam(settings.learning_rate))


def _parts(
    spec: SequenceSpec,
    pooling: AnyPooling,
    training: SeriesRows,
    validation: SeriesRows | None,
    orders: SeriesOrders,
    optimizer: optax.GradientTransformation,
) -> LoopParts[JaxState, JaxBatch, JaxTerms]:
    import jax
    import optax

    series = _batch(pooling, training)

    def loss_of(weights: JaxWeights, batch: JaxBatch) -> jax.Array:
        states = jax_states(spec, weights, batch.inputs)
        return jax_trajectory_loss(states, batch.targets, pooling, batch.weights)

    @jax.jit
    def updated(state: JaxState, batch: JaxBatch) -> tuple[JaxState, jax.Array]:
        loss, slope = jax.value_and_grad(loss_of)(state.weights, batch)
        changes, following = optimizer.update(slope, state.optimizer, state.weights)
        return JaxState(optax.apply_updates(state.weights, changes), following), loss

    def step(state: JaxState, batch: JaxBatch) -> tuple[JaxState, JaxTerms]:
        following, loss = updated(state, batch)
        return following, JaxTerms(len(batch.inputs), loss)

    def batches() -> Iterable[JaxBatch]:
        for places in orders():
            yield JaxBatch(*(rows[places] for rows in series))

    return LoopParts(
        batches=batches,
        step=step,
        join=joined_losses,
        read=lambda terms: {"soft": float(terms.loss), "loss": float(terms.loss)},
        validate=_validation(jax.jit(loss_of), pooling, validation),
        keep=lambda state: lambda: state,
    )


def _batch(pooling: AnyPooling, rows: SeriesRows) -> JaxBatch:
    import jax.numpy as jnp

    return JaxBatch(*map(jnp.asarray, (rows.inputs, rows.targets, rows.weights(pooling))))


def _validation(
    loss_of: Callable[[JaxWeights, JaxBatch], jax.Array],
    pooling: AnyPooling,
    rows: SeriesRows | None,
) -> Callable[[JaxState], float] | None:
    if rows is None or len(rows.inputs) == 0:
        return None
    series = _batch(pooling, rows)

    def loss(state: JaxState) -> float:
        batches = [
            JaxBatch(*(array[part] for array in series))
            for part in series_chunks(len(series.inputs))
        ]
        total = sum(float(loss_of(state.weights, one)) * len(one.inputs) for one in batches)
        return total / len(series.inputs)

    return loss


def _fitted(spec: SequenceSpec, end: LoopEnd[JaxState], plan: LoopPlan) -> Checked[FittedSequence]:
    arrays = arrays_of_jax_weights(end.state.weights)
    if not all(np.isfinite(array).all() for array in arrays.values()):
        return fail(LossNotFinite(epoch=end.best_epoch, what="a weight"))
    return Success(
        FittedSequence(
            network=network_of_arrays(spec, arrays, torch.device("cpu")),
            backend="jax",
            history=end.history,
            best_epoch=end.best_epoch,
            update_steps=len(end.history) * plan.steps_per_epoch,
        )
    )
