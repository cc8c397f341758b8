from collections.abc import Callable
from typing import Protocol

TYPE_EXTERNAL: int
TYPE_HARD: int

class _LinkInfo(Protocol):
    type: int

class _LinkProxy(Protocol):
    def iterate(self, func: Callable[[bytes, _LinkInfo], bool | None], *, info: bool) -> object: ...
