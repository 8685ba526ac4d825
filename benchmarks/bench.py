"""`make bench`: what cdsync costs beside the floor that no tool of its kind can be below, measured in the same run.

The floor of reading is the C YAML loader on the same files; that of listing is plain httpx reading the same pages, with
their JSON; that of creating is plain httpx sending as many requests, as many at a time. Medians; ratios are what
counts, because the machine is another one each time. `--check` fails when a ratio is far above its limit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from benchmarks.account import served, write_root
from benchmarks.plain_httpx import read_pages, send_creations
from benchmarks.plain_yaml import read_yaml
from cdsync.assembly import Surroundings, reading_pass, wall_clock, writing_pass
from cdsync.config import load
from cdsync.executor.execute import IN_FLIGHT
from cdsync.reconciler import apply_pass, plan_pass

CREATED = 1_000
LIMITED = 600
MOST_INPUTS = 100_000
IDLE = 5.0
MARGIN = 3.0
"""How far above its limit a ratio may be before `--check` fails: machines differ, and others work on them."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement beside its floor: medians, in `unit`. `limit` is the ratio that is aimed at, None for none."""

    what: str
    schedules: int
    value: float
    floor: float
    limit: float | None
    unit: str = "s"

    @property
    def ratio(self) -> float:
        """How many times the floor it took."""
        return self.value / self.floor


@dataclass(frozen=True, slots=True)
class Bench:
    """One root and its account, and how often each thing is measured."""

    root: Path
    url: str
    count: int
    runs: int

    def around(self, *, cache: bool) -> Surroundings:
        """What a pass takes from outside, with a cache folder or without one."""
        environment = {"CDSYNC_API_URL": self.url, "CDSYNC_API_KEY": "bench"}
        return Surroundings(
            root=self.root, environment={**environment, "CDSYNC_CACHE": f"{self.root}-cache" if cache else ""}
        )

    def medians(self, *works: Callable[[], object]) -> list[float]:
        """The median time of each of these, after one run that does not count.

        They take turns, because a machine that others use is faster at one time than at another.
        """
        for work in works:
            work()
        spent = [[_timed(work, time.perf_counter) for work in works] for _ in range(self.runs)]
        return [statistics.median(times) for times in zip(*spent, strict=True)]

    def row(self, what: str, value: float, floor: float, limit: float | None = None, unit: str = "s") -> Row:
        """A row about this account."""
        return Row(what, self.count, value, floor, limit, unit)


def _timed(work: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    work()
    return clock() - start


async def plan(around: Surroundings) -> None:
    """A whole plan: read, list, decide."""
    async with reading_pass(around) as (_, work):
        if (await plan_pass(work)).plan.pending:
            raise RuntimeError("the plan of an unchanged account is not empty")


async def apply(around: Surroundings) -> None:
    """A whole apply, agreed to in advance."""
    async with writing_pass(around, command="bench") as (_, work):
        done = await apply_pass(
            work, review=lambda _: None, approve=lambda _: True, lifted=lambda _: True, on_event=lambda _: None
        )
    if done is None or not done.complete:
        raise RuntimeError("the account is not as declared")


def run(work: Callable[[], Awaitable[object]]) -> Callable[[], None]:
    """Something to await, as something to call."""

    async def awaited() -> None:
        await work()

    return lambda: asyncio.run(awaited())


def unchanged(bench: Bench) -> list[Row]:
    """An account that is as declared: reading, planning, and what a daemon spends on it."""
    cold, warm = bench.around(cache=False), bench.around(cache=True)
    cache = Path(warm.environment["CDSYNC_CACHE"])
    read = partial(read_yaml, bench.root)
    list_all = run(lambda: read_pages(bench.url))
    listing, planning_again = bench.medians(list_all, run(lambda: plan(warm)))
    reading, validating, known = bench.medians(
        read,
        lambda: load(bench.root, now=wall_clock()),
        lambda: load(bench.root, now=wall_clock(), cache=cache),
    )
    *floors, planning = bench.medians(read, list_all, run(lambda: plan(cold)))
    return [
        bench.row("validate, cold", validating, reading, 2.0),
        bench.row("validate, warm", known, reading),
        bench.row("plan, cold", planning, sum(floors), 1.6),
        bench.row("plan, warm", planning_again, listing, 1.5),
    ]


def commands(bench: Bench) -> list[Row]:
    """The commands themselves, from their start to their end, beside programs that do nothing else than the floors."""
    environment = {**os.environ, **bench.around(cache=True).environment}

    def command(*arguments: str) -> Callable[[], object]:
        whole = (sys.executable, "-m", *arguments)
        return partial(subprocess.run, whole, check=True, stdout=subprocess.DEVNULL, env=environment)

    reading, validating, listing, planning = bench.medians(
        command("benchmarks.plain_yaml", str(bench.root)),
        command("cdsync", "-C", str(bench.root), "validate"),
        command("benchmarks.plain_httpx", bench.url),
        command("cdsync", "-C", str(bench.root), "plan"),
    )
    return [
        bench.row("cdsync validate, unchanged", validating, reading),
        bench.row("cdsync plan, unchanged", planning, listing, 1.5),
    ]


def kept(bench: Bench) -> list[Row]:
    """What a daemon spends on the account: processor time of a pass beside that of its listing, and memory."""
    with daemon(bench.around(cache=True)) as keeper:
        listings, passes = [], []
        for _ in range(bench.runs):
            listings.append(_timed(run(lambda: read_pages(bench.url)), time.process_time))
            passes.append(keeper.spent(keeper.pass_once))
        time.sleep(IDLE)
        idle = keeper.spent(lambda: time.sleep(IDLE)) / IDLE
        memory = keeper.memory()
    return [
        bench.row("daemon, a pass, processor", statistics.median(passes), statistics.median(listings)),
        bench.row("daemon, between passes, processor", idle, 1.0, unit="of one"),
        bench.row("daemon, memory", memory, 150.0 * max(bench.count / 10_000, 1.0), 1.0, unit="MiB"),
    ]


def created(root: Path, runs: int) -> Row:
    """A thousand creations, beside as many plain requests; the first run of both does not count."""
    spent: list[float] = []
    floors: list[float] = []
    for number in range(runs + 1):
        with tempfile.TemporaryDirectory(dir=root, prefix=f"{number}-") as folder, served(Path(folder), 0) as url:
            write_root(Path(folder), CREATED)
            around = Bench(Path(folder), url, CREATED, runs).around(cache=False)
            spent.append(_timed(run(partial(apply, around)), time.perf_counter))
            floors.append(_timed(run(partial(send_creations, url, CREATED, at_a_time=IN_FLIGHT)), time.perf_counter))
    return Row("apply, all new", CREATED, statistics.median(spent[1:]), statistics.median(floors[1:]), 1.5)


def limited(root: Path, plain: float) -> Row:
    """The same on an account that takes 600 requests a minute, beside the minute that the rest has to wait for, and the
    time that the rest takes plain httpx, which needs `plain` seconds for all."""
    with tempfile.TemporaryDirectory(dir=root) as folder, served(Path(folder), 0, requests_per_minute=LIMITED) as url:
        write_root(Path(folder), CREATED, requests_per_minute=LIMITED)
        around = Bench(Path(folder), url, CREATED, 1).around(cache=False)
        spent = _timed(run(lambda: apply(around)), time.perf_counter)
    return Row("apply, 600 a minute", CREATED, spent, 60.0 + plain * (CREATED - LIMITED) / CREATED, 1.05)


@dataclass(frozen=True, slots=True)
class Keeper:
    """A daemon under way."""

    process: subprocess.Popen[str]

    def pass_once(self) -> None:
        """Let it make a pass, and wait for its end."""
        self.process.send_signal(signal.SIGHUP)
        self.finished()

    def finished(self) -> None:
        """Wait for the end of a pass."""
        for line in self.process.stderr or ():
            if '"pass.finished"' in line:
                return
        raise RuntimeError("the daemon has ended")

    def spent(self, work: Callable[[], object]) -> float:
        """The seconds of processor time that it spends meanwhile."""
        before = self._processor()
        work()
        return self._processor() - before

    def _processor(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Its resident size, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        (size,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(size) / 1024


@contextmanager
def daemon(around: Surroundings) -> Iterator[Keeper]:
    """A daemon that has made its first pass, and makes another only when it is told to."""
    command = [sys.executable, "-m", "cdsync", "-C", str(around.root), "daemon"]
    environment = {**os.environ, **around.environment}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        keeper = Keeper(process)
        try:
            keeper.finished()
            keeper.pass_once()
            yield keeper
        finally:
            process.terminate()
            process.communicate()


def started(runs: int) -> Row:
    """`cdsync --version` beside Python and click alone."""

    def median(*arguments: str) -> float:
        command = [sys.executable, *arguments]
        work = partial(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
        return statistics.median(_timed(work, time.perf_counter) for _ in range(runs))

    return Row("cdsync --version", 0, median("-m", "cdsync", "--version"), median("-c", "import click"), 2.5)


def memory_of_a_plan(inputs: int) -> Row:
    """The largest resident size of a process that plans one run with so many inputs."""
    with tempfile.TemporaryDirectory(prefix="cdsync-bench-") as folder, served(Path(folder), 0) as url:
        root = Path(folder)
        write_root(root, 0)
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
        if process.returncode not in {0, 2}:
            raise RuntimeError(f"the plan ended with {process.returncode}")
        return Row(f"plan of a run with {inputs:,} inputs, memory", 1, usage.ru_maxrss / 1024, 300.0, 1.0, "MiB")


def measure(options: argparse.Namespace) -> Iterator[Row]:
    """All rows, one after the other."""
    yield started(options.runs)
    # Before this process grows itself: what it starts counts the size that it had as its own, and what it does takes
    # longer.
    yield memory_of_a_plan(MOST_INPUTS)
    with tempfile.TemporaryDirectory(prefix="cdsync-bench-") as folder:
        unlimited = created(Path(folder), options.runs)
        yield unlimited
        if not options.check:
            yield limited(Path(folder), unlimited.floor)
    for count in options.sizes:
        with tempfile.TemporaryDirectory(prefix="cdsync-bench-") as folder:
            root = Path(folder) / "root"
            root.mkdir()
            write_root(root, count)
            with served(root, count) as url:
                bench = Bench(root, url, count, options.runs)
                yield from unchanged(bench)
                yield from commands(bench)
                yield from kept(bench)


def main() -> None:
    """Measure, print one table, write it as JSON; with --check, fail where a ratio is far above its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("bench.json"), help="[%(default)s]")
    parser.add_argument("--check", action="store_true", help=f"fail above {MARGIN:g} times a limit")
    options = parser.parse_args()
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} processors"
    print(f"{machine}; medians of {options.runs}\n")
    print("| what | schedules | cdsync | floor | ratio | aim |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    rows: list[Row] = []
    for row in measure(options):
        rows.append(row)
        aim = f"{row.limit:g}" if row.limit is not None else ""
        values = f"{row.value:.3f} {row.unit} | {row.floor:.3f} {row.unit} | {row.ratio:.2f}"
        print(f"| {row.what} | {row.schedules:,} | {values} | {aim} |", flush=True)
    document = {"machine": machine, "rows": [{**asdict(row), "ratio": row.ratio} for row in rows]}
    options.output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    slow = [row for row in rows if row.limit is not None and row.ratio > MARGIN * row.limit]
    if options.check and slow:
        sys.exit(f"far above the aim: {', '.join(row.what for row in slow)}")


if __name__ == "__main__":
    main()
