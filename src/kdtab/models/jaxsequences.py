"""The layers of sequence networks in JAX; `models/sequencelayers.py` has the same equations.

JAX is an extra, so it is imported where it is used: here, in `losses/jaxsequences.py` and in
`shell/jax_step.py`, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias, assert_never

import numpy as np

from kdtab.config.sequencenetworks import (
    BasicLayer,
    GruLayer,
    LstmLayer,
    SequenceLayer,
    SequenceSpec,
    SingleDendriteLayer,
)
from kdtab.errors.extras import ExtraMissing
from kdtab.record import WEIGHTS, Array
from kdtab.results import Checked, check

if TYPE_CHECKING:
    import jax

JaxWeights: TypeAlias = "Mapping[str, jax.Array]"
PRECISION = "highest"
"""Of matrix products: some devices would round their factors to fewer digits."""


def check_jax() -> Checked[None]:
    """Whether the JAX backend can be used; worth knowing before a long run.

    Returns:
        Success, or `ExtraMissing` with the name of the extra that brings JAX and optax.

    Example:
        >>> check_jax()
        <Success: None>
    """
    missing = next((name for name in ("jax", "optax") if find_spec(name) is None), None)
    return check(None if missing is None else ExtraMissing(extra="jax", package=missing))


def jax_weights(arrays: Mapping[str, Array]) -> dict[str, jax.Array]:
    """A bundle's weights for JAX.

    Args:
        arrays: float32 arrays under `weights/…`.

    Returns:
        By their names without `weights/`, on JAX's default device.

    Example:
        >>> list(jax_weights({"weights/layers.0.bias": np.zeros(1, np.float32)}))
        ['layers.0.bias']
    """
    import jax.numpy as jnp

    return {name.removeprefix(WEIGHTS): jnp.asarray(array) for name, array in arrays.items()}


def arrays_of_jax_weights(weights: JaxWeights) -> dict[str, Array]:
    """The way back from `jax_weights`.

    Args:
        weights: By name.

    Returns:
        float32 arrays under `weights/…`.

    Example:
        >>> arrays = {"weights/layers.0.bias": np.zeros(1, np.float32)}
        >>> arrays_of_jax_weights(jax_weights(arrays))
        {'weights/layers.0.bias': array([0.], dtype=float32)}
    """
    return {WEIGHTS + name: np.array(value) for name, value in weights.items()}


def jax_states(spec: SequenceSpec, weights: JaxWeights, inputs: jax.Array) -> jax.Array:
    """The time course of the last layer; a pure function that JAX may transform.

    Args:
        spec: Which network.
        weights: As `jax_weights` gives them.
        inputs: [B, T, D_in] float.

    Returns:
        [B, T + 1, D_out] states; those at t = 0 are zero.

    Example:
        >>> import jax.numpy as jnp
        >>> spec = SequenceSpec(input_dim=1, layers=(BasicLayer(dim=1),))
        >>> weights = {"layers.0.weight": jnp.ones((1, 1)), "layers.0.bias": jnp.ones(1)}
        >>> jax_states(spec, weights, jnp.ones((1, 2, 1))).ravel().tolist()
        [0.0, 2.0, 2.0]
    """
    import jax.numpy as jnp

    states = inputs
    for place, layer in enumerate(spec.layers):
        prefix = f"layers.{place}."
        own = {
            name.removeprefix(prefix): value
            for name, value in weights.items()
            if name.startswith(prefix)
        }
        states = _layer_states(layer, own, states)
    return jnp.pad(states, ((0, 0), (1, 0), (0, 0)))


def jax_leaky_states(retained: jax.Array, drive: jax.Array) -> jax.Array:
    """s_{t+1} = a · s_t + d_t from s_0 = 0: the integrator alone.

    Args:
        retained: [D] a, the share of a state that is left after a step.
        drive: [B, T, D] d.

    Returns:
        [B, T, D] s_1 … s_T.

    Example:
        >>> import jax.numpy as jnp
        >>> jax_leaky_states(jnp.array([0.5]), jnp.array([[[1.0], [2.0], [3.0]]])).ravel().tolist()
        [1.0, 2.5, 4.25]
    """
    import jax
    import jax.numpy as jnp

    def step(state: jax.Array, drive_now: jax.Array) -> tuple[jax.Array, jax.Array]:
        following = retained * state + drive_now
        return following, following

    start = jnp.zeros_like(drive[:, 0])
    return jnp.swapaxes(jax.lax.scan(step, start, jnp.swapaxes(drive, 0, 1))[1], 0, 1)


def _layer_states(layer: SequenceLayer, own: JaxWeights, inputs: jax.Array) -> jax.Array:
    """[B, T, U] to [B, T, D]."""
    match layer:
        case SingleDendriteLayer():
            return _dendrites(layer, own, inputs)
        case BasicLayer():
            return _dense(layer, own, inputs)
        case GruLayer():
            return _gru(own, inputs)
        case LstmLayer():
            return _lstm(own, inputs)
        case _:
            assert_never(layer)


def _linear(inputs: jax.Array, weight: jax.Array, bias: jax.Array) -> jax.Array:
    import jax.numpy as jnp

    return jnp.matmul(inputs, weight.T, precision=PRECISION) + bias


def _dendrites(layer: SingleDendriteLayer, own: JaxWeights, inputs: jax.Array) -> jax.Array:
    import jax.numpy as jnp

    rate = layer.time_step * jnp.exp(-own["log_tau"])
    drive = jnp.tanh(_linear(inputs, own["weight"], own["bias"]))
    return jax_leaky_states(jnp.exp(-rate), -jnp.expm1(-rate) * own["gain"] * drive)


def _dense(layer: BasicLayer, own: JaxWeights, inputs: jax.Array) -> jax.Array:
    import jax
    import jax.numpy as jnp

    values = _linear(inputs, own["weight"], own["bias"])
    match layer.activation:
        case "linear":
            return values
        case "tanh":
            return jnp.tanh(values)
        case "relu":
            return jax.nn.relu(values)
        case _:
            assert_never(layer.activation)


def _gru(own: JaxWeights, inputs: jax.Array) -> jax.Array:
    """r, z, n in this order, as in torch; the reset gate acts on W_hn h + b_hn."""
    import jax
    import jax.numpy as jnp

    def step(state: jax.Array, given: jax.Array) -> tuple[jax.Array, jax.Array]:
        kept = _linear(state, own["weight_hh"], own["bias_hh"])
        given_r, given_z, given_n = jnp.split(given, 3, axis=1)
        kept_r, kept_z, kept_n = jnp.split(kept, 3, axis=1)
        reset = jax.nn.sigmoid(given_r + kept_r)
        update = jax.nn.sigmoid(given_z + kept_z)
        fresh = jnp.tanh(given_n + reset * kept_n)
        following = (1 - update) * fresh + update * state
        return following, following

    from_inputs = jnp.swapaxes(_linear(inputs, own["weight_ih"], own["bias_ih"]), 0, 1)
    start = jnp.zeros((inputs.shape[0], own["weight_hh"].shape[1]), inputs.dtype)
    return jnp.swapaxes(jax.lax.scan(step, start, from_inputs)[1], 0, 1)


def _lstm(own: JaxWeights, inputs: jax.Array) -> jax.Array:
    """i, f, g, o in this order, as in torch."""
    import jax
    import jax.numpy as jnp

    def step(
        state: tuple[jax.Array, jax.Array], given: jax.Array
    ) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        hidden, cell = state
        gates = given + _linear(hidden, own["weight_hh"], own["bias_hh"])
        taken, forgotten, fresh, shown = jnp.split(gates, 4, axis=1)
        cell = jax.nn.sigmoid(forgotten) * cell + jax.nn.sigmoid(taken) * jnp.tanh(fresh)
        hidden = jax.nn.sigmoid(shown) * jnp.tanh(cell)
        return (hidden, cell), hidden

    from_inputs = jnp.swapaxes(_linear(inputs, own["weight_ih"], own["bias_ih"]), 0, 1)
    start = jnp.zeros((inputs.shape[0], own["weight_hh"].shape[1]), inputs.dtype)
    return jnp.swapaxes(jax.lax.scan(step, (start, start), from_inputs)[1], 0, 1)
