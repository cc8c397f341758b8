"""Losses between time courses in JAX; `losses/sequences.py` has the same formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kdtab.config.timepooling import AnyPooling

if TYPE_CHECKING:
    import jax


def jax_trajectory_loss(
    student: jax.Array, teacher: jax.Array, pooling: AnyPooling, weights: jax.Array
) -> jax.Array:
    """`losses.sequences.weighted_trajectory_loss` in JAX.

    Args:
        student: [B, T + 1, D] states.
        teacher: [B, S, D] states, S of T + 1, or T without the one at t = 0.
        pooling: What is compared.
        weights: [B, S] as `time_weights` gives them.

    Returns:
        A scalar.

    Example:
        >>> import jax.numpy as jnp
        >>> from kdtab.config.timepooling import WholeCourse
        >>> course = jnp.ones((1, 2, 1))
        >>> jax_trajectory_loss(course, 3 * course, WholeCourse(), jnp.full((1, 2), 0.5)).item()
        4.0
    """
    import jax.numpy as jnp

    states = student[:, student.shape[1] - teacher.shape[1] :]
    if pooling.kind == "none":
        return (jnp.square(states - teacher).mean(2) * weights).sum(1).mean()
    pooled = _pooled(states, pooling, weights) - _pooled(teacher, pooling, weights)
    return jnp.square(pooled).mean()


def _pooled(states: jax.Array, pooling: AnyPooling, weights: jax.Array) -> jax.Array:
    import jax.numpy as jnp

    shares = weights[:, :, None]
    if pooling.kind == "max":
        return jnp.where(shares > 0, states, -jnp.inf).max(1)
    if pooling.kind == "rms":
        squares = (jnp.square(states) * shares).sum(1)
        moves = squares > 0
        return jnp.where(moves, jnp.sqrt(jnp.where(moves, squares, 1.0)), 0.0)
    return (states * shares).sum(1)
