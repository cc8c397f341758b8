"""What an ONNX graph says of itself, and what speaks against running it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast, runtime_checkable

from returns.result import Success

from kdtab.errors.extras import ExtraMissing
from kdtab.errors.sources import TeacherFileBroken
from kdtab.results import Checked, fail
from kdtab.teachers.answers import reason_of

if TYPE_CHECKING:
    import onnx

KIND = "an ONNX model"
LABELS = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
FLOATS = ("tensor(float)", "tensor(double)", "tensor(float16)")


class _Field(Protocol):
    message_type: object


@runtime_checkable
class _Message(Protocol):
    def ListFields(self) -> Sequence[tuple[_Field, object]]: ...  # noqa: N802  # protobuf's name


class Argument(Protocol):
    """An input or output as the runtime describes it.

    Example:
        >>> hasattr(Argument, "shape")
        True
    """

    @property
    def name(self) -> str:
        """Its name in the graph.

        Example:
            >>> isinstance(Argument.name, property)
            True
        """
        ...

    @property
    def type(self) -> str:
        """Its type as the runtime writes it, such as `tensor(float)`.

        Example:
            >>> isinstance(Argument.type, property)
            True
        """
        ...

    @property
    def shape(self) -> list[int | str | None]:
        """Its sizes; a name or None where any size goes.

        Example:
            >>> isinstance(Argument.shape, property)
            True
        """
        ...


@dataclass(frozen=True)
class GraphTraits:
    """What is known of a graph before it is run.

    Attributes:
        classes: Labels in the order of its probabilities, where it names them.

    Example:
        >>> GraphTraits(classes=None).classes is None
        True
    """

    classes: tuple[object, ...] | None


def graph_traits(path: str, content: bytes) -> Checked[GraphTraits]:
    """Parse a model without running it.

    Args:
        path: The file, for messages.
        content: Its bytes.

    Returns:
        Its traits; `TeacherFileBroken` for what is no model, or keeps numbers in other files;
        `ExtraMissing`.

    Example:
        >>> from kdtab.errors.issue import explain
        >>> outcome = graph_traits("m.onnx", b"no model")
        >>> explain(outcome.failure().first).startswith(("'m.onnx' cannot be used", "this needs"))
        True
    """
    try:
        import onnx
    except ImportError:
        return fail(ExtraMissing(extra="onnx", package="onnx"))
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # the parser has an error class of its own
        reason = f"it is no ONNX file ({reason_of(error)})"
        return fail(TeacherFileBroken(path=path, kind=KIND, reason=reason))
    outside = sorted({tensor.name for tensor in _tensors(model) if _is_outside(tensor)})
    if outside:
        reason = f"it keeps {len(outside):,} of its tensors in other files; save it as one file"
        return fail(TeacherFileBroken(path=path, kind=KIND, reason=reason))
    return Success(GraphTraits(_classes(model)))


def _is_outside(tensor: onnx.TensorProto) -> bool:
    return bool(tensor.external_data) or tensor.data_location == tensor.EXTERNAL


def _tensors(message: _Message) -> Iterator[onnx.TensorProto]:
    """Every tensor anywhere in a message: initializers, attributes, subgraphs, functions."""
    for part in _parts(message):
        if type(part).__name__ == "TensorProto":
            yield cast("onnx.TensorProto", part)
        yield from _tensors(part)


def _parts(message: _Message) -> Iterator[_Message]:
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if isinstance(value, _Message):
            yield value
        else:
            yield from cast("Iterable[_Message]", value)


def _classes(model: onnx.ModelProto) -> tuple[object, ...] | None:
    """The labels that all operators with labels agree on."""
    found = {
        tuple(text.decode() for text in attribute.strings) or tuple(attribute.ints)
        for node in model.graph.node
        for attribute in node.attribute
        if attribute.name in LABELS
    }
    return found.pop() if len(found) == 1 else None
