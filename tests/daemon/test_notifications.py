"""How targets are told, in virtual time and over HTTP."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from cdsync.core.work import Reference
from cdsync.daemon.news import Fact, News, Occasion
from cdsync.daemon.notifications import ATTEMPTS, PER_HOUR, QUEUE, Notifier
from cdsync.errors import UnresolvedReference
from cdsync.settings import Subscription
from tests.daemon.values import NOW
from tests.virtual_time import VirtualClock, run_virtual

URL = "https://hooks.example.com/services/s3cr3t"
OCCASION = Occasion(at=NOW, account="the account", revision=None, number=1)


@dataclass
class Post(httpx.AsyncBaseTransport):
    """Where messages arrive: what it answers, one after the other and then always the last, and what it got, when."""

    answers: list[int | Exception]
    got: list[tuple[float, Any]] = field(default_factory=list)
    slow: float = 0.0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Take one message."""
        self.got.append((asyncio.get_running_loop().time(), request))
        await asyncio.sleep(self.slow)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, request=request)


@dataclass
class Desk:
    """A notifier, the post that it uses, and what it counted."""

    notifier: Notifier
    post: Post
    counts: Counter[tuple[str, str]]

    def tell(self, number: int = 0, *, url: str | Reference = URL) -> None:
        """Tell of one failure."""
        fact = Fact(event="failed", subject=f"schedule/s{number}", message="it failed")
        subscription = Subscription(url=url, on=("failed",))
        self.notifier.tell([News(event="failed", facts=(fact,))], OCCASION, [subscription])


def at_desk(
    story: Callable[[Desk], Coroutine[Any, Any, None]],
    *answers: int | Exception,
    slow: float = 0.0,
    resolve: Callable[[str | Reference], str] = str,
) -> Desk:
    """Run a story with a notifier, let it flush, and give what became of it."""
    counts: Counter[tuple[str, str]] = Counter()
    post = Post(list(answers), slow=slow)

    async def run(_clock: VirtualClock) -> Desk:
        def count(event: str, result: str) -> None:
            counts[event, result] += 1

        desk = Desk(Notifier(resolve=resolve, count=count, transport=post), post, counts)
        await story(desk)
        await desk.notifier.close(within=5)
        return desk

    return run_virtual(run, start=NOW)


def test_who_subscribed_is_told_and_nobody_else() -> None:
    """A target gets the events that it asked for, and the last ones before the end."""

    async def story(desk: Desk) -> None:
        desk.tell()
        fact = Fact(event="drift", subject="schedule/a", message="it moved")
        desk.notifier.tell([News(event="drift", facts=(fact,))], OCCASION, [Subscription(url=URL, on=("failed",))])

    desk = at_desk(story, 200)
    ((_, request),) = desk.post.got
    assert str(request.url) == URL
    assert request.headers["content-type"] == "application/json"
    assert b'"event":"failed"' in request.content.replace(b": ", b":")
    assert desk.counts == {("failed", "sent"): 1}


@pytest.mark.parametrize("trouble", [503, 429, httpx.ConnectError("no")])
def test_a_target_that_is_down_is_tried_again_with_growing_pauses(trouble: int | Exception) -> None:
    """Nobody waits for it meanwhile, and the message arrives once."""

    async def story(desk: Desk) -> None:
        before = asyncio.get_running_loop().time()
        desk.tell()
        assert asyncio.get_running_loop().time() - before < 0.001
        await asyncio.sleep(60)

    desk = at_desk(story, trouble, trouble, trouble, 200)
    times = [round(time) for time, _ in desk.post.got]
    assert times == [0, 2, 6, 14]
    assert desk.counts == {("failed", "sent"): 1}


def test_a_target_that_refuses_is_not_asked_again() -> None:
    """A message that is wrong for it stays wrong; it is counted and logged, without the secret of the URL."""

    async def story(desk: Desk) -> None:
        desk.tell()
        await asyncio.sleep(60)

    with capture_logs() as logs:
        desk = at_desk(story, 404)
    assert len(desk.post.got) == 1
    assert desk.counts == {("failed", "failed"): 1}
    (entry,) = logs
    assert (entry["event"], entry["target"], entry["error"]) == (
        "notification.failed",
        "https://hooks.example.com",
        "HTTP 404",
    )
    assert "s3cr3t" not in str(logs)


def test_a_target_that_stays_down_is_given_up() -> None:
    """After eight tries the next message has its turn; what an error says of the URL is not repeated."""

    async def story(desk: Desk) -> None:
        desk.tell()
        await asyncio.sleep(3600)

    with capture_logs() as logs:
        desk = at_desk(story, httpx.ConnectError(f"cannot reach {URL}"))
    assert len(desk.post.got) == ATTEMPTS
    assert desk.counts == {("failed", "failed"): 1}
    assert [entry["error"] for entry in logs] == [f"ConnectError, {ATTEMPTS} times"]


def test_an_hour_has_room_for_so_many_and_the_next_tells_what_was_left_out() -> None:
    """A storm is not passed on; how much of it was left out is."""

    async def story(desk: Desk) -> None:
        for number in range(PER_HOUR + 7):
            desk.tell(number)
            await asyncio.sleep(1)
        await asyncio.sleep(3600)
        desk.tell()

    desk = at_desk(story, 200)
    assert len(desk.post.got) == PER_HOUR + 1
    assert desk.counts == {("failed", "sent"): PER_HOUR + 1, ("failed", "left-out"): 7}
    assert b'"left_out":7' in desk.post.got[-1][1].content


def test_a_full_queue_leaves_out_the_oldest() -> None:
    """A target that is slow for a day costs a bounded amount of memory, and gets the newest when it is back."""

    async def story(desk: Desk) -> None:
        for number in range(24 * PER_HOUR):
            desk.tell(number)
            await asyncio.sleep(3600 / PER_HOUR)
        assert desk.counts["failed", "left-out"] > 0
        target = desk.notifier._targets[URL]
        assert target.queue.qsize() == QUEUE

    at_desk(story, 200, slow=10**6)


def test_the_end_does_not_wait_for_a_target() -> None:
    """What cannot be told within five seconds is left, and that is logged."""

    async def story(desk: Desk) -> None:
        desk.tell()

    with capture_logs() as logs:
        at_desk(story, 200, slow=10**6)
    assert [entry["event"] for entry in logs] == ["notification.unsent"]


def test_a_url_by_reference_is_looked_up_for_each_try() -> None:
    """A secret that is put in place later is found; a message names only the reference."""
    known: list[str] = []

    def resolve(_url: str | Reference) -> str:
        if not known:
            raise UnresolvedReference("the environment variable SLACK is not set")
        return known[0]

    async def story(desk: Desk) -> None:
        desk.tell(url=Reference("env", "SLACK"))
        await asyncio.sleep(1)
        known.append(URL)
        await asyncio.sleep(10)

    desk = at_desk(story, 200, resolve=resolve)
    assert [str(request.url) for _, request in desk.post.got] == [URL]


def test_a_reference_to_a_url_that_may_not_be_used_is_refused() -> None:
    """Neither http to others nor a text that is none is ever called."""

    async def story(desk: Desk) -> None:
        desk.tell(url=Reference("env", "SLACK"))
        await asyncio.sleep(1)

    with capture_logs() as logs:
        desk = at_desk(story, 200, resolve=lambda _: "http://hooks.example.com/s3cr3t")
    assert desk.post.got == []
    assert "expected https" in logs[0]["error"]
    assert "s3cr3t" not in str(logs)
