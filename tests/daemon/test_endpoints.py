"""What the daemon answers over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from cdsync.daemon.endpoints import BODY_WITHIN, LARGEST_BODY, Desk, application
from cdsync.daemon.health import judge
from cdsync.daemon.standing import Standing
from cdsync.daemon.triggers import Cause
from cdsync.errors import UnresolvedReference
from tests.daemon.test_hooks import BODY, SECRET, signed
from tests.daemon.values import NOW, record, standing
from tests.virtual_time import run_virtual

TOKEN = "t0k3n"


@dataclass
class Front:
    """A daemon as it looks from outside."""

    token: str | None = TOKEN
    secret: str | None = SECRET
    stands: Standing = field(default_factory=lambda: standing(record()))
    since_progress: float = 1.0
    broken: bool = False
    asked: list[Cause] = field(default_factory=list)

    def metrics(self) -> bytes:
        """Some metrics."""
        if self.broken:
            raise RuntimeError("a mistake")
        return b"cdsync_healthy 1.0\n"

    def look_up(self, secret: str | None) -> str | None:
        """A secret, unless it cannot be read."""
        if secret == "unreadable":
            raise UnresolvedReference("the reference {file: token} cannot be read: No such file")
        return secret

    def send(self, method: str, path: str, **request: object) -> httpx.Response:
        """One request, and its answer."""
        desk = Desk(
            standing=lambda: self.stands,
            verdict=lambda: judge(self.stands, interval=60, since_progress=self.since_progress),
            metrics=self.metrics,
            request=self.asked.append,
            token=lambda: self.look_up(self.token),
            webhook_secret=lambda: self.look_up(self.secret),
        )

        async def ask(_clock: object) -> httpx.Response:
            transport = httpx.ASGITransport(application(desk), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.request(method, path, **request)  # type: ignore[arg-type] # given by the tests

        return run_virtual(ask, start=NOW)


def test_health_is_for_machines_and_people() -> None:
    """The status is in the code, the reasons are in the body, and no cache keeps either."""
    well, ill = Front().send("GET", "/healthz"), Front(since_progress=181).send("GET", "/healthz")

    assert (well.status_code, well.json()["status"]) == (200, "healthy")
    assert (ill.status_code, ill.json()["status"]) == (503, "unhealthy")
    assert ill.json()["reasons"] == ["no progress for 181 s; expected some within 180 s"]
    assert well.headers["cache-control"] == "no-store"


def test_readiness_comes_with_the_first_good_pass() -> None:
    """Not before."""
    assert Front(stands=standing()).send("GET", "/readyz").status_code == 503
    assert Front().send("GET", "/readyz").status_code == 200


def test_metrics_are_text() -> None:
    """As Prometheus asks for them."""
    answer = Front().send("GET", "/metrics")

    assert (answer.status_code, answer.text) == (200, "cdsync_healthy 1.0\n")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_a_hook_that_is_genuine_asks_for_a_pass() -> None:
    """Of GitHub's kind and of GitLab's; a greeting is answered, and asks for none."""
    front = Front()
    github = front.send("POST", "/hooks/git", content=BODY, headers={"X-Hub-Signature-256": signed(SECRET, BODY)})
    gitlab = front.send("POST", "/hooks/git", content=BODY, headers={"X-Gitlab-Token": SECRET})
    greeting = front.send("POST", "/hooks/git", headers={"X-Gitlab-Token": SECRET, "X-GitHub-Event": "ping"})

    assert (github.status_code, gitlab.status_code, greeting.status_code) == (202, 202, 200)
    assert front.asked == [Cause.HOOK, Cause.HOOK]


def test_a_hook_of_a_stranger_is_refused() -> None:
    """Whatever it says, nothing is done, and nothing is told."""
    front = Front()
    answer = front.send("POST", "/hooks/git", content=BODY, headers={"X-Gitlab-Token": "guess"})

    assert (answer.status_code, front.asked) == (401, [])
    assert answer.json() == {"error": "the caller does not know the secret of this path"}


def test_a_body_that_is_too_long_is_not_read() -> None:
    """A megabyte is enough for a push."""
    front = Front()
    fits = front.send("POST", "/hooks/git", content=b"x" * LARGEST_BODY, headers={"X-Gitlab-Token": SECRET})
    over = front.send("POST", "/hooks/git", content=b"x" * (LARGEST_BODY + 1), headers={"X-Gitlab-Token": SECRET})

    assert (fits.status_code, over.status_code) == (202, 413)
    assert front.asked == [Cause.HOOK]


def test_a_body_that_never_ends_is_given_up() -> None:
    """Who sends a byte a minute holds up nobody."""

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x"
            await asyncio.sleep(BODY_WITHIN)

    answer = Front().send("POST", "/hooks/git", content=drip(), headers={"X-Gitlab-Token": SECRET})
    assert answer.status_code == 408


@pytest.mark.parametrize(
    ("authorization", "code"),
    [(f"Bearer {TOKEN}", 202), (f"bearer {TOKEN}", 202), ("Bearer guess", 401), (TOKEN, 401), (f"Basic {TOKEN}", 401)],
)
def test_a_pass_is_made_for_who_has_the_token(authorization: str, code: int) -> None:
    """And for nobody else."""
    front = Front()
    answer = front.send("POST", "/reconcile", headers={"Authorization": authorization})

    assert answer.status_code == code
    assert front.asked == ([Cause.REQUEST] if code == 202 else [])


def test_what_is_not_set_up_is_not_there() -> None:
    """Without a secret a path is as unknown as any other, and `/` is nobody's yet."""
    front = Front(token=None, secret=None)

    assert front.send("POST", "/reconcile", headers={"Authorization": "Bearer "}).status_code == 404
    assert front.send("POST", "/hooks/git", headers={"X-Gitlab-Token": ""}).status_code == 404
    assert front.send("GET", "/").status_code == 404
    assert front.send("GET", "/reconcile").status_code == 405


def test_a_secret_that_cannot_be_read_lets_nobody_in() -> None:
    """The caller learns that it is the daemon's fault, and not which file is missing."""
    front = Front(token="unreadable", secret="unreadable")
    answer = front.send("POST", "/reconcile", headers={"Authorization": "Bearer x"})

    assert answer.status_code == 503
    assert "No such file" not in answer.text
    assert front.send("POST", "/hooks/git").status_code == 503


def test_a_mistake_of_ours_is_told_without_its_details() -> None:
    """The log has them."""
    answer = Front(broken=True).send("GET", "/metrics")

    assert answer.status_code == 500
    assert answer.json() == {"error": "this went wrong on the side of the daemon; see its log"}


def test_no_answer_holds_a_secret() -> None:
    """Neither the token nor the hook's secret is in any of them."""
    front = Front()
    answers = [front.send("GET", path) for path in ("/healthz", "/readyz", "/metrics")]
    answers += [
        front.send("POST", path, headers={"Authorization": "Bearer x"}) for path in ("/hooks/git", "/reconcile")
    ]

    assert not [answer for answer in answers if TOKEN in str(answer.headers) + answer.text or SECRET in answer.text]


def test_further_routes_have_their_place() -> None:
    """A page can be added without touching the others."""

    async def page(_request: Request) -> PlainTextResponse:
        return PlainTextResponse("a page")

    desk = Desk(
        standing=standing,
        verdict=lambda: judge(standing(), interval=60, since_progress=1),
        metrics=bytes,
        request=lambda _: None,
        token=lambda: None,
        webhook_secret=lambda: None,
    )

    async def ask() -> str:
        transport = httpx.ASGITransport(application(desk, more=[Route("/", page)]))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return (await client.get("/")).text

    assert asyncio.run(ask()) == "a page"
