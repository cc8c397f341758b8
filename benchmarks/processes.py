"""What a process takes: seconds, seconds of the processor, and memory at its peak.

Linux hands the peak of a parent on to the child that it starts, until the child's own is higher. So a
small process, which has no peak to hand on, stands between a benchmark and what it measures.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

BETWEEN = """
import json, resource, subprocess, sys, time
begin = time.perf_counter()
code = subprocess.call(sys.argv[1:], stdout=sys.stderr)
wall = time.perf_counter() - begin
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
sys.exit(code)
"""


class Spent(NamedTuple):
    """Seconds on the clock and of the processor; MiB at the peak."""

    wall: float
    cpu: float
    mebibytes: float


def spent(command: Sequence[str | Path], folder: Path | None = None) -> Spent:
    """Run a command to its end, which must be a good one."""
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", BETWEEN, *map(str, command)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return Spent(*json.loads(run.stdout.splitlines()[-1]))
