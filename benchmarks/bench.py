"""`make bench`: validate and plan for 1,000 and 10,000 schedules, beside their floors, with the ratios.

The floor of validate is the C YAML loader on the same files; that of plan adds plain httpx reading the same pages.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import yaml

from cdsync.assembly import Surroundings, reading_pass, wall_clock, writing_pass
from cdsync.config import load
from cdsync.reconciler import apply_pass, plan_pass

PER_FILE = 50
MOST_INPUTS = 100_000
MOST_MEMORY = 300
SETTINGS = "api: {requests_per_minute: 10000, dialect: rest}\n"


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement and its floor: medians, in seconds."""

    what: str
    schedules: int
    seconds: float
    floor: float

    @property
    def ratio(self) -> float:
        """How many times the floor it took."""
        return self.seconds / self.floor


def write_root(root: Path, count: int) -> None:
    """Declare `count` different schedules in files of 50."""
    (root / "cdsync.yaml").write_text(SETTINGS, encoding="utf-8")
    for start in range(0, count, PER_FILE):
        lines = ["defaults: {timezone: Europe/Paris, identity_mode: managed}", "schedules:"]
        for number in range(start, min(start + PER_FILE, count)):
            lines += [
                f"  s{number}:",
                f"    action: salesnavigator-search-people-{number % 40}",
                f'    cron: "{number % 60} {number // 60 % 24} * * {number % 7}"',
                f"    inputs: [{{sales_navigator_profile_search_url: https://example.com/{number}}}]",
                "    parameters: {max_results: 500}",
            ]
        (root / f"part-{start:06}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def median(work: Callable[[], object], *, runs: int) -> float:
    """The median duration of some runs, after one that does not count."""
    work()
    return statistics.median(_timed(work) for _ in range(runs))


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def read_yaml(root: Path) -> None:
    """The floor of reading: the C loader on every file."""
    for path in sorted(root.glob("*.yaml")):
        yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)


async def read_pages(url: str) -> None:
    """The floor of listing: plain httpx on the same pages."""
    async with httpx.AsyncClient(base_url=url, headers={"X-API-Key": "bench"}) as client:
        offset, rows = 0, [None]
        while rows:
            query = f"status=ACTIVE&status=PAUSED&sort=created_at&limit=100&offset={offset}"
            rows = (await client.get(f"/v4/schedules?{query}")).json()
            offset += len(rows)


async def plan(around: Surroundings) -> None:
    """A whole plan: read, list, decide."""
    async with reading_pass(around) as (_, work):
        if (await plan_pass(work)).plan.pending:
            raise RuntimeError("the plan of an unchanged account is not empty")


async def apply(around: Surroundings) -> None:
    """A whole apply, agreed to in advance."""
    async with writing_pass(around, command="bench") as (_, work):
        await apply_pass(
            work, review=lambda _: None, approve=lambda _: True, lifted=lambda _: True, on_event=lambda _: None
        )


def measure(count: int, *, runs: int) -> list[Row]:
    """The rows for one size."""
    with tempfile.TemporaryDirectory(prefix="cdsync-bench-") as folder, simulator() as url:
        root = Path(folder)
        write_root(root, count)
        return _measure(root, url, count, runs=runs)


@contextmanager
def simulator() -> Iterator[str]:
    """The simulator in a process of its own, so that it takes no time from what is measured; gives its URL."""
    command = [sys.executable, "-m", "cdsync", "simulate", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield (process.stdout.readline() if process.stdout else "").split()[-1]
        finally:
            process.terminate()


def _measure(root: Path, url: str, count: int, *, runs: int) -> list[Row]:
    environment = {"CDSYNC_API_URL": url, "CDSYNC_API_KEY": "bench"}
    around = Surroundings(root=root, environment=environment)
    created = _timed(lambda: asyncio.run(apply(around)))

    def run(work: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        async def awaited() -> None:
            await work()

        return lambda: asyncio.run(awaited())

    reading = median(lambda: read_yaml(root), runs=runs)
    listing = median(run(lambda: read_pages(url)), runs=runs)
    return [
        Row("validate", count, median(lambda: load(root, now=wall_clock()), runs=runs), reading),
        Row("plan", count, median(run(lambda: plan(around)), runs=runs), reading + listing),
        Row("apply, all new (once)", count, created, reading + listing),
    ]


def peak_memory_of_a_plan(inputs: int) -> float:
    """The largest resident size, in MiB, of a process that plans one run with so many inputs."""
    with tempfile.TemporaryDirectory(prefix="cdsync-bench-") as folder, simulator() as url:
        root = Path(folder)
        (root / "cdsync.yaml").write_text(SETTINGS, encoding="utf-8")
        (root / "run.yaml").write_text("runs:\n  big: {action: a, inputs: {file: rows.csv}}\n", encoding="utf-8")
        with (root / "rows.csv").open("w", encoding="utf-8") as stream:
            stream.write("linkedin_profile_url,first_name,company\n")
            for number in range(inputs):
                stream.write(f"https://www.linkedin.com/in/person-{number},First {number},Company {number % 977}\n")
        environment = {**os.environ, "CDSYNC_API_URL": url, "CDSYNC_API_KEY": "bench"}
        command = [sys.executable, "-m", "cdsync", "-C", str(root), "plan"]
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"the plan ended with {process.returncode}")
        return usage.ru_maxrss / 1024


def main() -> None:
    """Measure, print one table, and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("bench.json"))
    options = parser.parse_args()
    rows: list[Row] = []
    print(f"Python {platform.python_version()}; medians of {options.runs}, in seconds")
    print(f"{'what':<24}{'schedules':>10}{'cdsync':>10}{'floor':>10}{'ratio':>8}")
    for size in options.sizes:
        for row in measure(size, runs=options.runs):
            rows.append(row)
            print(
                f"{row.what:<24}{row.schedules:>10}{row.seconds:>10.3f}{row.floor:>10.3f}{row.ratio:>8.2f}", flush=True
            )
    document: list[dict[str, object]] = [{**asdict(row), "ratio": row.ratio} for row in rows]
    peak = peak_memory_of_a_plan(MOST_INPUTS)
    print(f"peak memory of a plan of one run with {MOST_INPUTS:,} inputs: {peak:.0f} MiB, of {MOST_MEMORY} allowed")
    document.append({"what": "peak memory of a plan, MiB", "inputs": MOST_INPUTS, "peak": peak, "allowed": MOST_MEMORY})
    options.output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    sys.exit(1 if peak > MOST_MEMORY else 0)


if __name__ == "__main__":
    main()
