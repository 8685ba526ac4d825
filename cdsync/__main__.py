"""`python -m cdsync` is the command `cdsync`."""

from __future__ import annotations

from cdsync.cli import main

if __name__ == "__main__":
    main()
