"""torchvision, whose compiled part may have been built for another torch than the one installed."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType


def import_torchvision() -> None:
    """Import it, if it is there; without its compiled part it registers nothing.

    timm needs it, and Lightning and modelopt import it where they find it. None of them uses the
    compiled part in a benchmark.
    """
    try:
        import_module("torchvision")
    except ModuleNotFoundError:
        return
    except RuntimeError:
        for name in [name for name in sys.modules if name.startswith("torchvision")]:
            del sys.modules[name]
        empty = "torchvision._meta_registrations"
        sys.modules[empty] = ModuleType(empty)
