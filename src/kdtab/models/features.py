"""The features of a module: what goes into its last layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeGuard, TypeVar, cast, final

from returns.result import Success
from torch import Tensor, nn

from kdtab.errors.taskmodules import FeatureHeadUnknown, FeatureWidthUnknown, Side
from kdtab.models.frozen import unwrapped
from kdtab.models.projection import FeatureAxis
from kdtab.results import Checked, fail

HEADS = ("head", "classifier", "fc")
"""How authors name the last layer; else it is the last of the module's linear layers."""

WIDTHS = ("head_hidden_size", "num_features")
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
Answer = TypeVar("Answer")


class _Parted(Protocol):
    forward_features: Callable[..., Tensor]
    forward_head: Callable[..., Tensor]


@final
@dataclass(frozen=True)
class FeatureReader:
    """How to read the features of one module.

    Attributes:
        head: The layer whose input they are; None for a module that has `forward_features` and
            `forward_head`, as timm's have.
        width: How wide they are.
        axis: Where their width is.

    Example:
        >>> FeatureReader(head="2", width=4, axis="last").head
        '2'
    """

    head: str | None
    width: int
    axis: FeatureAxis

    def logits_and_features(
        self, module: nn.Module, inputs: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """One forward pass, both of what it ends with and of what it saw before its head.

        Args:
            module: The module that the reader was made for; nothing is left on it.
            inputs: Its input.

        Returns:
            The outputs, and the features, or None where the head was not called.

        Example:
            >>> import torch
            >>> module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
            >>> reader = feature_reader(module, "student").unwrap()
            >>> logits, features = reader.logits_and_features(module, torch.zeros(5, 3))
            >>> logits.shape, features.shape
            (torch.Size([5, 2]), torch.Size([5, 4]))
        """
        if self.head is None:
            trunk, end = _parts(module)
            features = trunk(inputs)
            return end(features), end(features, pre_logits=True)
        return self._watched(module, lambda: cast("Tensor", module(inputs)))

    def features(self, module: nn.Module, inputs: Tensor) -> Tensor | None:
        """The features alone; a head that is separate is not computed.

        Args:
            module: The module that the reader was made for; nothing is left on it.
            inputs: Its input.

        Returns:
            [B, …] features, or None where the head was not called.

        Example:
            >>> import torch
            >>> module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
            >>> feature_reader(module, "teacher").unwrap().features(module, torch.zeros(5, 3)).shape
            torch.Size([5, 4])
        """
        if self.head is None:
            trunk, end = _parts(module)
            return end(trunk(inputs), pre_logits=True)
        return self._watched(module, lambda: cast("Tensor", module(inputs)))[1]

    def _watched(
        self, module: nn.Module, forward: Callable[[], Answer]
    ) -> tuple[Answer, Tensor | None]:
        """The hook lives for this one pass: a student is pickled, copied, exported as it is."""
        seen: list[Tensor] = []

        def watch(_: nn.Module, arguments: tuple[Tensor, ...]) -> None:
            seen.append(arguments[0])

        assert self.head is not None, "only a named head is watched"
        watching = unwrapped(module).get_submodule(self.head).register_forward_pre_hook(watch)
        try:
            outputs = forward()
        finally:
            watching.remove()
        return outputs, seen[-1] if seen else None


def feature_reader(
    module: nn.Module, side: Side, *, head: str | None = None, width: int | None = None
) -> Checked[FeatureReader]:
    """How to read the features of a module, found without running it.

    Args:
        module: Any module.
        side: Whose it is, for messages.
        head: The layer whose input the features are; None finds it: `forward_features` with
            `forward_head`, a layer of a usual name, the last linear layer or convolution.
        width: How wide the features are; None finds it: `head_hidden_size`, `num_features`, what
            the head takes in.

    Returns:
        The reader, or `FeatureHeadUnknown`, `FeatureWidthUnknown`.

    Example:
        >>> feature_reader(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), "student").unwrap()
        FeatureReader(head='0', width=3, axis='last')
        >>> feature_reader(nn.ReLU(), "student").failure().first.side
        'student'
    """
    own = unwrapped(module)
    found = type(own).__name__
    if head is None and _has_both_parts(own):
        attributes = [getattr(own, name, None) for name in WIDTHS]
        known = next((one for one in attributes if isinstance(one, int)), width)
        chosen = width or known
        if chosen is None:
            return fail(FeatureWidthUnknown(side=side, found=found))
        return Success(FeatureReader(None, chosen, "last"))
    layers = dict(own.named_modules())
    name = _last_layer(own) if head is None else head
    if name is None or name not in layers:
        known_layers = tuple(layer for layer in layers if layer)
        unknown = FeatureHeadUnknown(side=side, found=found, asked=head, known=known_layers)
        return fail(unknown)
    last = layers[name]
    chosen = width or _width(last)
    if chosen is None:
        return fail(FeatureWidthUnknown(side=side, found=found))
    axis: FeatureAxis = "channels" if isinstance(last, _CONVOLUTIONS) else "last"
    return Success(FeatureReader(name, chosen, axis))


def _parts(module: nn.Module) -> tuple[Callable[..., Tensor], Callable[..., Tensor]]:
    own = cast("_Parted", unwrapped(module))
    return own.forward_features, own.forward_head


def _has_both_parts(module: nn.Module) -> bool:
    parts = ("forward_features", "forward_head")
    return all(callable(getattr(module, part, None)) for part in parts)


def _last_layer(module: nn.Module) -> str | None:
    for name in HEADS:
        inner = getattr(module, name, None)
        if isinstance(inner, nn.Module):
            layers = [layer for layer, found in inner.named_modules() if _is_layer(found)]
            if layers:
                return f"{name}.{layers[-1]}".rstrip(".")
    every = [name for name, found in module.named_modules() if _is_layer(found)]
    return every[-1] if every else None


def _is_layer(module: nn.Module) -> TypeGuard[nn.Module]:
    return isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)


def _width(layer: nn.Module) -> int | None:
    for name in ("in_features", "in_channels"):
        found = getattr(layer, name, None)
        if isinstance(found, int):
            return found
    return None
