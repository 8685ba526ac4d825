"""Lives through many seeded worlds on all cores: `python -m tests.simulation --seeds 2000 [--start 0]`.

Prints what all of them went through together. A seed that breaks a promise is told with it, and the command fails.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.seeded import hush, tell_in_memory


def main() -> None:
    """Run the seeds and print the totals."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many worlds")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    began = time.monotonic()
    tally: Counter[str] = Counter()
    broken = 0
    seeds = range(options.start, options.start + options.seeds)
    with ProcessPoolExecutor(initializer=hush) as pool:
        for told in pool.map(tell_in_memory, seeds, chunksize=4):
            tally.update(told.tally)
            if told.broken is not None:
                broken += 1
                print(f"seed {told.seed}: {told.broken}", flush=True)
    for name, number in sorted(tally.items()):
        print(f"{number:>9} {name}")
    print(f"{options.seeds:>9} seeds, {broken} with a broken promise, in {time.monotonic() - began:.0f} seconds")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
