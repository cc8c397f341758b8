from collections.abc import Mapping, Sequence
from typing import Any, Protocol

class _NodeArg(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def shape(self) -> list[int | str | None]: ...

class _SessionOptions:
    log_severity_level: int
    intra_op_num_threads: int

SessionOptions: type[_SessionOptions]

class InferenceSession:
    def __init__(
        self,
        path_or_bytes: str | bytes,
        sess_options: _SessionOptions | None = None,
        providers: Sequence[str] | None = None,
        provider_options: Sequence[dict[str, str]] | None = None,
        **kwargs: object,
    ) -> None: ...
    def get_inputs(self) -> Sequence[_NodeArg]: ...
    def get_outputs(self) -> Sequence[_NodeArg]: ...
    def run(
        self,
        output_names: Sequence[str] | None,
        input_feed: Mapping[str, Any],
        run_options: object | None = None,
    ) -> Sequence[object]: ...
