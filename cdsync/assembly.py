"""Puts a pass together: reads the declaration, opens the state, resolves the key, connects to the API."""

from __future__ import annotations

import os
import platform
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cdsync.api import Api, Call, connect
from cdsync.config import Configuration, declares_anything, load, load_settings
from cdsync.core.model import Address
from cdsync.core.urls import base_url_fault
from cdsync.core.work import Reference
from cdsync.errors import CdsyncError, GitError
from cdsync.gitsource import GitSource
from cdsync.reconciler import Pass
from cdsync.references import References
from cdsync.render.refused import refused_sentence
from cdsync.revision import revision_of
from cdsync.seals import Seals
from cdsync.settings import GitSettings, Settings, cache_folder, with_environment
from cdsync.store import Store, open_reader, open_writer, refused_commit
from cdsync.waiting import run

if TYPE_CHECKING:
    import httpx

OVERRIDES = (Reference("env", "CDSYNC_API_KEY"),)
"""Secrets that are found where no setting says so."""


def wall_clock() -> datetime:
    """The present moment on this machine's clock, in UTC."""
    return datetime.now(UTC)


def _unheard(_call: Call) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a pass takes from outside: the folder, environment and clock; in the simulation, transport and store.

    `on_call` hears of every request that left.
    """

    root: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    now: Callable[[], datetime] = wall_clock
    transport: httpx.AsyncBaseTransport | None = None
    open_store: Callable[..., AbstractContextManager[Store]] = open_writer
    on_call: Callable[[Call], None] = _unheard
    allow_lookalikes: bool = False
    targets: tuple[str, ...] = ()


def read_configuration(around: Surroundings, *, doubting: bool = False) -> Configuration:
    """Read and check the declaration, with the environment's say about the settings.

    `doubting` also warns of what may be meant or may be a slip.

    Raises:
        ConfigError: with everything that is wrong.
    """
    environment = around.environment.keys() if doubting else None
    cache = cache_folder(around.environment)
    configuration = load(around.root, now=around.now(), cache=cache, environment=environment)
    return replace(configuration, settings=_in_environment(configuration.settings, around))


async def declaration(around: Surroundings) -> tuple[Configuration, str | None]:
    """The declaration that a command is about, and its revision.

    That is the folder's, if it declares anything. Where the daemon takes it from a repository, and the folder holds the
    settings alone, it is that of the last good commit.

    Raises:
        ConfigError: with everything that is wrong.
        GitError: the last good commit cannot be read, or there is none yet.
    """
    if declares_anything(around.root) or (settings := settings_of(around)).daemon.git is None:
        configuration = read_configuration(around)
        return configuration, revision_of(configuration.settings.root)
    found = await git_source(settings.daemon.git, settings, around).good(settings, now=around.now())
    if found is None:
        raise _nothing_taken_up(settings)
    return found.configuration, found.commit


def _nothing_taken_up(settings: Settings) -> GitError:
    """There is no good commit yet; with the one that the daemon refuses, if it has looked at one."""
    problem = f"{settings.root} declares nothing itself, and no commit of its repository was taken up yet"
    with suppress(CdsyncError), open_reader(settings.state) as store:
        if (refused := refused_commit(store)) is not None:
            remedy = refused.remedy or "push one that is valid"
            return GitError(f"{problem}: {refused_sentence(refused)}", remedy=remedy)
    return GitError(
        problem,
        remedy="to see first what it would do, plan in a checkout of the repository: cdsync -C CHECKOUT plan; then let "
        "the daemon take it up, which applies it: cdsync daemon --once",
    )


def git_source(git: GitSettings, settings: Settings, around: Surroundings) -> GitSource:
    """The repository that these settings name, with its copy beside the state."""
    references = references_of(settings, around)
    return GitSource(git, state=settings.state, references=references, environment=around.environment)


def settings_of(around: Surroundings) -> Settings:
    """The settings alone, for what needs no declaration; also when the declaration is broken."""
    return _in_environment(load_settings(around.root), around)


def known_offline(around: Surroundings) -> frozenset[Address]:
    """Every address that is declared, owned or held, as far as can be told without the network; raises nothing."""
    known: set[Address] = set()
    with suppress(CdsyncError):
        configuration, _ = run(declaration(around))
        known |= configuration.desired.resources.keys()
    with suppress(CdsyncError), open_reader(settings_of(around).state) as store:
        owned = store.owned()
        known |= owned.resources.keys() | owned.unresolved.keys() | owned.held.keys()
    return frozenset(known)


def _in_environment(settings: Settings, around: Surroundings) -> Settings:
    """The settings with the environment's say, which is held to the same rules as the file's."""
    found = with_environment(settings, around.environment)
    if found.api.base_url != settings.api.base_url and (fault := base_url_fault(found.api.base_url)):
        raise CdsyncError(
            f"CDSYNC_API_URL is {fault}",
            remedy="set it to where the API is: its scheme (https://, or http:// for this machine), host and port",
        )
    return found


@asynccontextmanager
async def reading_pass(around: Surroundings) -> AsyncIterator[tuple[Configuration, Pass]]:
    """A pass that changes nothing: on a snapshot of the state, without its lock."""
    configuration, revision = await declaration(around)
    with open_reader(configuration.settings.state) as store:
        async with _connected(configuration, store, around, revision=revision) as work:
            yield configuration, work


@asynccontextmanager
async def writing_pass(around: Surroundings, *, command: str) -> AsyncIterator[tuple[Configuration, Pass]]:
    """A pass that may change the account: as the one writer of the state."""
    configuration, revision = await declaration(around)
    with around.open_store(configuration.settings.state, holder=holder(command, around.now())) as store:
        async with _connected(configuration, store, around, revision=revision) as work:
            remember_dialect(store, work.settings, work.api)
            yield configuration, work


def holder(command: str, now: datetime) -> str:
    """How a writer names itself to those who find the state locked."""
    return f"cdsync {command} (process {os.getpid()} on {platform.node()}, since {now:%Y-%m-%d %H:%M:%S} UTC)"


def references_of(settings: Settings, around: Surroundings) -> References:
    """Where the secrets of a root are looked up; those of cdsync itself are for nobody else."""
    found = References(root=settings.root, environment=around.environment)
    own = frozenset(found.place_of(reference) for reference in (*OVERRIDES, *settings.references))
    return replace(found, withheld=own)


def connection(
    settings: Settings, key: str, store: Store | None, around: Surroundings
) -> AbstractAsyncContextManager[Api]:
    """The API of these settings, opened in the dialect that the state, if there is one, knows it to speak.

    Raises:
        ApiError: when it is entered: no dialect answers, or the key is refused.
    """
    return connect(
        settings.api,
        key=key,
        now=around.now,
        dialect=_remembered_dialect(store, settings) if store else None,
        transport=around.transport,
        on_call=around.on_call,
    )


@asynccontextmanager
async def _connected(
    configuration: Configuration, store: Store, around: Surroundings, *, revision: str | None
) -> AsyncIterator[Pass]:
    settings = configuration.settings
    references = references_of(settings, around)
    async with connection(settings, references.resolve(settings.api.key), store, around) as opened:
        yield Pass(
            settings=settings,
            desired=configuration.desired,
            references=references,
            api=opened,
            store=store,
            policy=replace(settings.policy, allow_lookalikes=around.allow_lookalikes),
            targets=around.targets,
            revision=revision,
            seals=Seals(root=settings.root, cache=cache_folder(around.environment)),
        )


def _remembered_dialect(store: Store, settings: Settings) -> str | None:
    """The dialect that this state found out, as long as it is about the same address."""
    known = store.fact("dialect")
    spoken_at = f" {settings.api.base_url}{settings.api.prefix}"
    return known.removesuffix(spoken_at) if known is not None and known.endswith(spoken_at) else None


def remember_dialect(store: Store, settings: Settings, api: Api) -> None:
    """Write down which dialect the API at this address speaks, so that it is not asked again."""
    fact = f"{api.dialect.name} {settings.api.base_url}{settings.api.prefix}"
    if store.fact("dialect") != fact:
        store.remember("dialect", fact)
