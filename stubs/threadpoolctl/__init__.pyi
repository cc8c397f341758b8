from types import TracebackType
from typing import Any, Self

class _ThreadpoolLimiter:
    def __init__(
        self,
        controller: object,
        *,
        limits: int | dict[str, int] | None = None,
        user_api: str | None = None,
    ) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        type: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    def restore_original_limits(self) -> None: ...

class threadpool_limits(_ThreadpoolLimiter):
    def __init__(
        self, limits: int | dict[str, int] | None = None, user_api: str | None = None
    ) -> None: ...
    @classmethod
    def wrap(
        cls, limits: int | dict[str, int] | None = None, user_api: str | None = None
    ) -> Any: ...

def threadpool_info() -> list[dict[str, Any]]: ...

class ThreadpoolController:
    def __init__(self) -> None: ...
    def select(self, **kwargs: str) -> ThreadpoolController: ...
    def limit(
        self, *, limits: int | dict[str, int] | None = None, user_api: str | None = None
    ) -> _ThreadpoolLimiter: ...
