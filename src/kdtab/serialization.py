"""Bundles to files and back, for callers of exceptions (REQ-KD02, REQ-T22, REQ-T23)."""

from __future__ import annotations

import os

import torch
from returns.result import Result

from kdtab.bundle import ModelBundle, from_record, to_record
from kdtab.disk.bundles import read_record, write_record
from kdtab.errors.bundles import BundleContradiction, BundleCorrupt
from kdtab.errors.issue import Issue, Issues
from kdtab.errors.raised import raise_issues
from kdtab.results import either
from kdtab.shell.device import resolve_device


def save_bundle(bundle: ModelBundle, path: str | os.PathLike[str]) -> None:
    """Write a bundle as one file, whole or not at all; equal bundles give equal bytes.

    The bundle, the mode of its network and its device stay as they are.

    Args:
        bundle: A bundle with a network of kdtab's own.
        path: Where, usually with the suffix `.kdtab`; what is there already is replaced.

    Raises:
        KdtabError: A `TypeError` for a network that is not kdtab's, a `RuntimeError` for a bundle
            whose parts contradict each other, an `OSError` for what the disk refuses.

    Example:
        >>> from torch import nn
        >>> save_bundle(ModelBundle(nn.Linear(3, 2), "classification", *[None] * 11), "t.kdtab")
        Traceback (most recent call last):
        kdtab.errors.raised.WrongTypeError: a bundle with a network of type 'Linear' cannot be saved: ...
    """
    saved = to_record(bundle).bind(lambda record: write_record(path, record))
    either(saved, lambda _: None, raise_issues)


def load_bundle(
    path: str | os.PathLike[str], map_location: str | torch.device | None = None
) -> ModelBundle:
    """The bundle in a file, its network in eval mode and equal to the bit.

    Nothing is unpickled, executed, imported or opened but the file.

    Args:
        path: What `save_bundle` wrote.
        map_location: The device to load to; None: the CPU.

    Returns:
        The bundle, ready to predict or to teach.

    Raises:
        KdtabError: A `FileNotFoundError` for a missing file, an `OSError` for an unreadable one, a
            `RuntimeError` for a file that is no whole bundle of a format that this kdtab knows.

    Example:
        >>> load_bundle("no such file.kdtab")
        Traceback (most recent call last):
        kdtab.errors.raised.MissingFileError: no bundle at 'no such file.kdtab': check the path and its spelling
    """
    return either(read_bundle(path, map_location), lambda bundle: bundle, raise_issues)


def read_bundle(
    path: str | os.PathLike[str], map_location: str | torch.device | None = None
) -> Result[ModelBundle, Issues]:
    """`load_bundle` for callers of values.

    Args:
        path: What `save_bundle` wrote.
        map_location: The device to load to; None: the CPU.

    Returns:
        The bundle, or `DeviceUnusable` and the issues of `read_record`.

    Example:
        >>> read_bundle("no such file.kdtab").failure().first
        BundleMissing(path='no such file.kdtab')
    """
    device = resolve_device("cpu" if map_location is None else map_location)
    return device.bind(
        lambda chosen: read_record(path).bind(
            lambda record: from_record(record, chosen).alt(lambda issues: _of_file(path, issues))
        )
    )


def _of_file(path: str | os.PathLike[str], issues: Issues) -> Issues:
    return Issues(tuple(_named(os.fspath(path), issue) for issue in issues))


def _named(path: str, issue: Issue) -> Issue:
    if isinstance(issue, BundleContradiction):
        return BundleCorrupt(path=path, reason=issue.reason)
    return issue
