"""A kdtab sequence bundle as a teacher of time series, computed in torch or in JAX."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import assert_never

from returns.result import Result, Success

from kdtab.config.sequences import Backend
from kdtab.data.arrays import Float32Array
from kdtab.disk.sequencebundles import read_sequence_record
from kdtab.errors.bundles import BundleOfOtherKind
from kdtab.errors.issue import Issue, Issues
from kdtab.errors.sequenceteachers import NotSequenceBundle
from kdtab.models.jaxsequences import check_jax
from kdtab.models.sequences import SequenceBundle, from_sequence_record
from kdtab.models.weights import weight_arrays
from kdtab.results import Checked
from kdtab.shell.device import resolve_device
from kdtab.shell.jax_step import jax_sequence_states
from kdtab.shell.sequences_fit import sequence_states
from kdtab.teachers.sequenceinfo import SequenceTeacherInfo


@dataclass(frozen=True, eq=False)
class BundleSequenceTeacher:
    """A sequence network that says its states; never modified.

    Attributes:
        bundle: The network and where it comes from.
        info: What it says of itself.
        backend: With what its states are computed.

    Example:
        >>> import numpy as np
        >>> from kdtab.models.sequences import example_spec, new_sequence_bundle
        >>> teacher = bundle_as_sequence_teacher(new_sequence_bundle(example_spec(), random_seed=0))
        >>> teacher.states(np.zeros((2, 3, 2), np.float32)).unwrap().shape
        (2, 4, 1)
    """

    bundle: SequenceBundle
    info: SequenceTeacherInfo
    backend: Backend

    def states(self, x: Float32Array) -> Checked[Float32Array]:
        """The states at every step, with the one before the first.

        Args:
            x: [N, T, D_in] float32; not changed.

        Returns:
            [N, T + 1, D_out] float32; never a failure.

        Example:
            >>> import numpy as np
            >>> from kdtab.models.sequences import example_spec, new_sequence_bundle
            >>> teacher = bundle_as_sequence_teacher(
            ...     new_sequence_bundle(example_spec(), random_seed=0), backend="jax"
            ... )
            >>> teacher.states(np.zeros((2, 3, 2), np.float32)).unwrap().shape
            (2, 4, 1)
        """
        network = self.bundle.network
        match self.backend:
            case "torch":
                return Success(sequence_states(network, x))
            case "jax":
                return Success(jax_sequence_states(network.spec, weight_arrays(network), x))
            case _:
                assert_never(self.backend)


def bundle_as_sequence_teacher(
    bundle: SequenceBundle, backend: Backend = "torch", name: str = "bundle"
) -> BundleSequenceTeacher:
    """A bundle in memory as a teacher.

    Args:
        bundle: Not changed.
        backend: With what its states are computed.
        name: What it calls itself.

    Returns:
        The teacher.

    Example:
        >>> from kdtab.models.sequences import example_spec, new_sequence_bundle
        >>> bundle_as_sequence_teacher(new_sequence_bundle(example_spec(), random_seed=0)).info.input_dim
        2
    """
    info = SequenceTeacherInfo(name, bundle.input_dim, bundle.output_dim, bundle.fingerprint)
    return BundleSequenceTeacher(bundle, info, backend)


def bundle_sequence_teacher(
    path: str | os.PathLike[str], backend: Backend = "torch"
) -> Checked[BundleSequenceTeacher]:
    """The bundle in a file as a teacher.

    Args:
        path: A sequence bundle of any suffix.
        backend: With what its states are computed.

    Returns:
        The teacher, in torch on a GPU where there is one; or `NotSequenceBundle`, `ExtraMissing` where JAX is asked for and absent, and
        the issues of `read_sequence_record`.

    Example:
        >>> bundle_sequence_teacher("no such file.soen").failure().first
        BundleMissing(path='no such file.soen')
    """
    ready = check_jax() if backend == "jax" else Success(None)
    return Result.do(
        bundle_as_sequence_teacher(bundle, backend, "sequence bundle")
        for _ in ready
        for record in read_sequence_record(path).alt(_as_teacher)
        for device in resolve_device("cpu" if backend == "jax" else None)
        for bundle in from_sequence_record(record, device)
    )


def _as_teacher(issues: Issues) -> Issues:
    return Issues(tuple(_named(issue) for issue in issues))


def _named(issue: Issue) -> Issue:
    if isinstance(issue, BundleOfOtherKind):
        return NotSequenceBundle(path=issue.path, kind=issue.found)
    return issue
