from typing import Protocol

class _SpaceID(Protocol):
    def select_hyperslab(self, start: tuple[int, ...], count: tuple[int, ...]) -> None: ...

def create_simple(
    dims_tpl: tuple[int, ...], max_dims_tpl: tuple[int, ...] | None = None
) -> _SpaceID: ...
