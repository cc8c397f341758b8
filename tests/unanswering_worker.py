"""A worker that says nothing: `hdf5process` has to end it."""

from __future__ import annotations

import signal

if __name__ == "__main__":
    signal.pause()
