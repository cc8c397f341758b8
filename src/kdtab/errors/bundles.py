"""What can be wrong with a bundle, in memory or on disk."""

from __future__ import annotations

from typing import TypeAlias, assert_never

from kdtab.errors.base import IssueValue, listed, quoted

UPGRADE = "upgrade kdtab (pip install --upgrade kdtab)"
MODELS_OF = {"table": "tables", "sequence": "time series"}


class BundleMissing(IssueValue):
    """There is no bundle file at the path.

    Example:
        >>> explain_bundle_issue(BundleMissing(path="t.kdtab"))
        "no bundle at 't.kdtab': check the path and its spelling"
    """

    path: str


class BundleNotReadable(IssueValue):
    """The file is there, but the system will not hand it out.

    Example:
        >>> explain_bundle_issue(BundleNotReadable(path="t.kdtab", reason="Permission denied"))
        "cannot read the bundle 't.kdtab': Permission denied"
    """

    path: str
    reason: str


class BundleForeign(IssueValue):
    """What lies at the path is something else.

    Example:
        >>> explain_bundle_issue(BundleForeign(path="t.pt", found="a Python pickle"))
        "'t.pt' is no kdtab bundle but a Python pickle; kdtab opens only what save_bundle wrote, and never unpickles"
    """

    path: str
    found: str


class BundleCorrupt(IssueValue):
    """The file is no whole bundle, or not the bundle that was written.

    Example:
        >>> explain_bundle_issue(BundleCorrupt(path="t.kdtab", reason="its checksum differs"))
        "'t.kdtab' is not a whole bundle: its checksum differs; copy it again or save it anew"
    """

    path: str
    reason: str


class BundleTooLarge(IssueValue):
    """More bytes than kdtab takes into memory for one model.

    Example:
        >>> explain_bundle_issue(BundleTooLarge(path="t.kdtab", size=5_000, most=4_000))
        "the bundle 't.kdtab' has 5,000 bytes, kdtab takes at most 4,000"
    """

    path: str
    size: int
    most: int


class BundleTooNew(IssueValue):
    """A later kdtab wrote the file, in a format that this one cannot know.

    Example:
        >>> explain_bundle_issue(BundleTooNew(path="t.kdtab", found=2, known=1))
        "the bundle 't.kdtab' has format version 2, this kdtab reads up to 1: upgrade kdtab (pip install --upgrade kdtab)"
    """

    path: str
    found: int
    known: int


class BundleKindUnknown(IssueValue):
    """A bundle of a kind that this kdtab does not serve.

    Example:
        >>> explain_bundle_issue(BundleKindUnknown(path="t.kdtab", found="image", known=("table",)))
        "the bundle 't.kdtab' holds a model of kind 'image', this kdtab knows 'table': upgrade kdtab (pip install --upgrade kdtab)"
    """

    path: str
    found: str
    known: tuple[str, ...]


class BundleOfOtherKind(IssueValue):
    """A bundle of a kind that is served elsewhere.

    Attributes:
        path: The file.
        found: Its kind: table or sequence.
        wanted: The kind that is wanted here.

    Example:
        >>> explain_bundle_issue(BundleOfOtherKind(path="t.kdtab", found="sequence", wanted="table"))
        "the bundle 't.kdtab' holds a model of time series, and a model of tables is wanted here"
    """

    path: str
    found: str
    wanted: str


class BundleContradiction(IssueValue):
    """The parts of a bundle in memory deny each other.

    Example:
        >>> explain_bundle_issue(BundleContradiction(reason="it has 3 class names for 2 outputs"))
        'the bundle contradicts itself: it has 3 class names for 2 outputs'
    """

    reason: str


class NetworkForeign(IssueValue):
    """A bundle whose network kdtab could not build again from plain data.

    Example:
        >>> explain_bundle_issue(NetworkForeign(found="Sequential", known=("MlpNetwork",)))
        "a bundle with a network of type 'Sequential' cannot be saved: kdtab stores no code, only its own networks ('MlpNetwork'); distil it into one of them"
    """

    found: str
    known: tuple[str, ...]


BundleIssue: TypeAlias = (
    BundleMissing
    | BundleNotReadable
    | BundleForeign
    | BundleCorrupt
    | BundleTooLarge
    | BundleTooNew
    | BundleKindUnknown
    | BundleOfOtherKind
    | BundleContradiction
    | NetworkForeign
)


def explain_bundle_issue(issue: BundleIssue) -> str:
    """The sentence for a person: the rule, what was found, what to do.

    Args:
        issue: One mistake of a bundle.

    Returns:
        One sentence without a line break.

    Example:
        >>> explain_bundle_issue(BundleMissing(path="s.kdtab"))
        "no bundle at 's.kdtab': check the path and its spelling"
    """
    match issue:
        case BundleMissing(path=path):
            return f"no bundle at {quoted(path)}: check the path and its spelling"
        case BundleNotReadable(path=path, reason=reason):
            return f"cannot read the bundle {quoted(path)}: {reason}"
        case BundleForeign(path=path, found=found):
            return (
                f"{quoted(path)} is no kdtab bundle but {found}; "
                "kdtab opens only what save_bundle wrote, and never unpickles"
            )
        case BundleCorrupt(path=path, reason=reason):
            return f"{quoted(path)} is not a whole bundle: {reason}; copy it again or save it anew"
        case BundleTooLarge(path=path, size=size, most=most):
            return f"the bundle {quoted(path)} has {size:,} bytes, kdtab takes at most {most:,}"
        case BundleTooNew(path=path, found=version, known=known):
            return (
                f"the bundle {quoted(path)} has format version {version}, "
                f"this kdtab reads up to {known}: {UPGRADE}"
            )
        case BundleKindUnknown(path=path, found=kind, known=kinds):
            return (
                f"the bundle {quoted(path)} holds a model of kind {quoted(kind)}, "
                f"this kdtab knows {listed(kinds)}: {UPGRADE}"
            )
        case BundleOfOtherKind(path=path, found=found, wanted=wanted):
            return (
                f"the bundle {quoted(path)} holds a model of {MODELS_OF[found]}, "
                f"and a model of {MODELS_OF[wanted]} is wanted here"
            )
        case BundleContradiction(reason=reason):
            return f"the bundle contradicts itself: {reason}"
        case NetworkForeign(found=found, known=networks):
            return (
                f"a bundle with a network of type {quoted(found)} cannot be saved: kdtab stores "
                f"no code, only its own networks ({listed(networks)}); distil it into one of them"
            )
        case _:
            assert_never(issue)
