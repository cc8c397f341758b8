"""What layers give while their model runs, kept by hooks that leave no trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import final

import torch
from returns.result import Success
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from kdtab.errors.layers import LayerOutputMissing, LayerOutputStale, Pair, Side
from kdtab.models.layers import WHOLE_MODEL
from kdtab.results import Checked, fail


@final
class LayerTap:
    """Keeps what one layer gave in the last forward of its model; where it ran twice, the last.

    Attributes:
        open: Whether the model is running; a layer that is called alone is not listened to.
        filled: Whether the layer gave something since `clear`.
        output: What it gave.
        calls: How often it ran.
        copies: Whether tensors are kept as copies, since a later layer may work in place
            (`x += y`). The first forward finds out, unless a layer says that it does so
            (`Dropout(inplace=True)` does in train mode only).

    Example:
        >>> tap = LayerTap()
        >>> tap.keep(torch.ones(2))
        >>> tap.filled, tap.is_overwritten
        (True, False)
    """

    def __init__(self, *, settles: bool = True) -> None:
        self.open = False
        self.copies = True
        self.settles = settles
        self.clear()

    def clear(self) -> None:
        """Forget what was kept.

        Example:
            >>> tap = LayerTap()
            >>> tap.keep(torch.ones(2))
            >>> tap.clear()
            >>> tap.output is None
            True
        """
        self.filled = False
        self.output: object = None
        # The tensor that must not change, and how often it had been written when it was kept.
        self.watched: tuple[Tensor, int] | None = None
        self.calls = 0

    def keep(self, output: object) -> None:
        """Keep an output as it is, and watch it.

        Args:
            output: What the model gave.

        Example:
            >>> tap = LayerTap()
            >>> tap.keep("anything")
            >>> tap.output
            'anything'
        """
        self.output = output
        self.filled = True
        if torch.compiler.is_compiling() or not isinstance(output, Tensor):
            return
        self.watched = None if output.is_inference() else (output, output._version)

    @property
    def is_overwritten(self) -> bool:
        """Whether the tensor that is watched was changed in place since.

        Example:
            >>> tap, output = LayerTap(), torch.ones(2)
            >>> tap.keep(output)
            >>> _ = output.add_(1)
            >>> tap.is_overwritten
            True
        """
        return self.watched is not None and self.watched[0]._version != self.watched[1]

    def settle(self) -> None:
        """The forward is over: from now on, a layer that nobody overwrote is kept without a copy.

        Example:
            >>> tap, output = LayerTap(), torch.ones(2)
            >>> tap.open = True
            >>> tap(nn.ReLU(), (), output)
            >>> tap.settle()
            >>> tap.copies
            False
        """
        self.open = False
        overwritten = self.is_overwritten
        if self.copies and self.watched is not None:
            self.copies = overwritten or not self.settles
            self.watched = None
        elif overwritten:
            self.copies = True  # this loss is refused, the next forward is safe

    def __call__(self, layer: nn.Module, inputs: object, output: object) -> None:
        """The hook: keep what the layer gave while its model runs."""
        if self.open:
            self.keep(output)
            self.calls += 1
            if self.copies:
                self.output = _copied(output)

    def __getstate__(self) -> dict[str, object]:
        # A copy of a model starts without outputs: they belong to the graph of the original.
        return vars(LayerTap(settles=self.settles))


@final
class ModelTaps:
    """The taps of one model, by layer name.

    Args:
        model: Any module; only hooks are added, and `remove` takes them away.
        names: Layers to listen to; empty stands for the model itself, which gets no hook.

    Attributes:
        taps: One for each layer.
        ran: Whether the model ran since its outputs were last taken.
        taken: Whether the outputs of its last run were taken.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
        >>> with listening(model, ["0"]) as taps:
        ...     taps.begin()
        ...     taps.end(model(torch.zeros(4, 2)))
        ...     taps.taps["0"].output.shape
        torch.Size([4, 3])
        >>> len(model[0]._forward_hooks)
        0
    """

    def __init__(self, model: nn.Module, names: Iterable[str]) -> None:
        in_place = any(getattr(module, "inplace", False) for module in model.modules())
        self.taps = {name: LayerTap(settles=not in_place) for name in names}
        self.ran = False
        self.taken = False
        self._handles: list[RemovableHandle] = [
            model.get_submodule(name).register_forward_hook(tap)
            for name, tap in self.taps.items()
            if name != WHOLE_MODEL
        ]

    def begin(self) -> None:
        """A forward begins: forget the last one, listen.

        Example:
            >>> taps = ModelTaps(nn.ReLU(), [""])
            >>> taps.begin()
            >>> taps.taps[""].open
            True
        """
        for tap in self.taps.values():
            tap.clear()
            tap.open = True
        self.taken = False

    def end(self, output: object) -> None:
        """The forward is over: what it gave is the output of the model itself.

        Args:
            output: What the model gave.

        Example:
            >>> taps = ModelTaps(nn.ReLU(), [""])
            >>> taps.begin()
            >>> taps.end("output")
            >>> taps.ran, taps.taps[""].output
            (True, 'output')
        """
        for name, tap in self.taps.items():
            tap.settle()
            if name == WHOLE_MODEL:  # nothing of the model comes after it
                tap.keep(output)
        self.ran = True

    def given(self, pair: Pair, side: Side) -> Checked[object]:
        """What a layer gave in the last run.

        Args:
            pair: Student layer and teacher layer.
            side: Whose taps these are.

        Returns:
            The output; or `LayerOutputMissing`, `LayerOutputStale`.

        Example:
            >>> ModelTaps(nn.ReLU(), [""]).given(("", ""), "student").failure().first.ran
            False
        """
        tap = self.taps[pair[0] if side == "student" else pair[1]]
        if tap.filled and not tap.is_overwritten:
            return Success(tap.output)
        if tap.filled or self.taken:
            return fail(LayerOutputStale(pair=pair, side=side, overwritten=tap.filled))
        return fail(LayerOutputMissing(pair=pair, side=side, ran=self.ran))

    def forget(self, *, taken: bool) -> None:
        """Drop all outputs, so that no graph outlives its step.

        Args:
            taken: Whether a loss was made of them.

        Example:
            >>> taps = ModelTaps(nn.ReLU(), [""])
            >>> taps.forget(taken=True)
            >>> taps.taken
            True
        """
        for tap in self.taps.values():
            tap.clear()
        self.ran = False
        self.taken = taken

    def remove(self) -> None:
        """Take every hook away.

        Example:
            >>> model = nn.Sequential(nn.ReLU())
            >>> ModelTaps(model, ["0"]).remove()
            >>> len(model[0]._forward_hooks)
            0
        """
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def __getstate__(self) -> dict[str, object]:
        return {**vars(self), "ran": False, "taken": False}


@contextmanager
def listening(model: nn.Module, names: Iterable[str]) -> Iterator[ModelTaps]:
    """Taps for the time of a block.

    Args:
        model: Any module.
        names: Layers to listen to.

    Yields:
        The taps; the hooks are gone afterwards, after an exception too.

    Example:
        >>> with listening(nn.ReLU(), [""]) as taps:
        ...     sorted(taps.taps)
        ['']
    """
    taps = ModelTaps(model, names)
    try:
        yield taps
    finally:
        taps.remove()


def _copied(output: object) -> object:
    if isinstance(output, Tensor):
        return output.clone()
    if type(output) in {tuple, list}:
        assert isinstance(output, tuple | list)
        return type(output)(_copied(item) for item in output)
    if type(output) is dict:
        return {key: _copied(item) for key, item in output.items()}
    return output
