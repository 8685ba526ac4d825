from __future__ import annotations

import asyncio
import gzip
import traceback
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from typing import Any, get_args

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdsync.api import connect
from cdsync.api.bounded import LARGEST_ANSWER
from cdsync.api.client import NEVER_SENT, Client
from cdsync.api.limiter import Limiter
from cdsync.errors import (
    ApiError,
    BadAnswer,
    CdsyncError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    ServerFault,
    Unauthorized,
    Unreachable,
)
from cdsync.settings import ApiSettings
from cdsync.simulator import Clock, Fault, SimulatorOptions, running
from cdsync.simulator.faults import Kind
from tests.api.answering import KEY, MONDAY_SEVEN, Answering, client_of, in_virtual_time, opened
from tests.virtual_time import VirtualClock

BODY = {"inputs": [{}], "identity_mode": "direct", "schedule_at": "2026-06-02T07:00:00Z"}


def all_below(error: type[Exception]) -> Iterator[type[Exception]]:
    """An exception class and every one below it."""
    yield error
    for below in error.__subclasses__():
        yield from all_below(below)


LIBRARY_ERRORS = sorted(set(all_below(httpx.HTTPError)) - {httpx.HTTPStatusError}, key=lambda error: error.__name__)
"""What a transport may raise; HTTPStatusError is raised only where raise_for_status is called, which nobody does."""


def failure_of(error: type[Exception]) -> Exception:
    return error("a wire was cut")


async def ask(client: Client, *, writing: bool) -> Any:
    if writing:
        return await client.write("POST", "/x", query={}, body=lambda: {"a": 1})
    return await client.read("/x", query={})


def caught_from(*answers: httpx.Response | Exception, writing: bool) -> tuple[CdsyncError, Answering]:
    """The error that these answers end in, and what was asked."""

    async def story(clock: VirtualClock) -> tuple[CdsyncError, Answering]:
        transport = Answering(clock, list(answers))
        client = client_of(transport, clock)
        with pytest.raises(CdsyncError) as caught:
            await ask(client, writing=writing)
        await client.close()
        return caught.value, transport

    return in_virtual_time(story)


@pytest.mark.parametrize("error", LIBRARY_ERRORS)
def test_every_library_error_of_a_write_is_told_by_its_effect(error: type[Exception]) -> None:
    """A write that was never sent is Unreachable; one that was, has an unknown outcome; it leaves once."""
    caught, transport = caught_from(failure_of(error), writing=True)
    assert type(caught) is (Unreachable if issubclass(error, NEVER_SENT) else OutcomeUnknown)
    assert caught.retryable
    assert "a wire was cut" in str(caught)
    assert len(transport.asked) == 1


@pytest.mark.parametrize("error", LIBRARY_ERRORS)
def test_every_library_error_of_a_read_is_repeated_and_then_told(error: type[Exception]) -> None:
    """A read that fails on the way is asked four times, and then fails as an error of ours."""
    caught, transport = caught_from(failure_of(error), writing=False)
    assert type(caught) is (Unreachable if issubclass(error, NEVER_SENT) else ServerFault)
    assert len(transport.asked) == 4


def test_only_errors_before_the_request_count_as_never_sent() -> None:
    """What may happen after the first byte is never taken for no effect."""
    sent: set[type[Exception]] = {
        httpx.ReadError,
        httpx.ReadTimeout,
        httpx.WriteError,
        httpx.WriteTimeout,
        httpx.CloseError,
    }
    sent |= {httpx.RemoteProtocolError, httpx.DecodingError}
    assert not any(issubclass(error, NEVER_SENT) for error in sent)


FINAL: dict[int, type[ApiError]] = {
    **dict.fromkeys((400, 402, 405, 409, 410, 415, 418, 422, 424, 451, 499), Rejected),
    **dict.fromkeys((401, 403), Unauthorized),
    404: NotFound,
    **dict.fromkeys((300, 301, 302, 303, 304, 307, 308), Rejected),
}
PASSING = (408, 500, 501, 502, 503, 504, 520, 524, 599)


@pytest.mark.parametrize("writing", [False, True])
@pytest.mark.parametrize("status", sorted(FINAL))
def test_a_refusal_is_told_as_what_it_is(status: int, writing: bool) -> None:
    """A refusal has had no effect, is not repeated, and says its status."""
    caught, transport = caught_from(httpx.Response(status, json={"message": "No"}), writing=writing)
    assert type(caught) is FINAL[status]
    assert isinstance(caught, ApiError)
    assert caught.status == status
    assert not caught.retryable
    assert len(transport.asked) == 1


@pytest.mark.parametrize("status", PASSING)
def test_trouble_of_the_server_leaves_a_write_unknown(status: int) -> None:
    """5xx and 408 to a write say nothing about its effect; the write is not repeated."""
    caught, transport = caught_from(httpx.Response(status, text="<html>gateway</html>"), writing=True)
    assert type(caught) is OutcomeUnknown
    assert caught.status == status
    assert len(transport.asked) == 1


@pytest.mark.parametrize("status", PASSING)
def test_trouble_of_the_server_repeats_a_read(status: int) -> None:
    """5xx and 408 to a read are asked again, with pauses that grow but stay short of a minute together."""
    caught, transport = caught_from(httpx.Response(status), writing=False)
    assert type(caught) is ServerFault
    assert caught.status == status
    assert len(transport.asked) == 4
    assert 0 < transport.moments[-1] < 60


@pytest.mark.parametrize("content", ["", "<html>all is well</html>", '{"uid": "u-', "\x00"])
@pytest.mark.parametrize("status", [200, 201, 202, 205])
def test_a_yes_that_is_no_json_is_not_trusted(status: int, content: str) -> None:
    """A success that cannot be read leaves a write unknown, and a read without an answer."""
    answer = httpx.Response(status, text=content)
    caught, transport = caught_from(answer, writing=True)
    assert type(caught) is OutcomeUnknown
    assert len(transport.asked) == 1
    caught, transport = caught_from(answer, writing=False)
    assert type(caught) is BadAnswer
    assert len(transport.asked) == 4


@pytest.mark.parametrize("writing", [False, True])
def test_no_content_is_an_answer(writing: bool) -> None:
    """204 is a success that says nothing: no answer was lost, and nothing is asked again."""

    async def story(clock: VirtualClock) -> tuple[Any, int]:
        transport = Answering(clock, [httpx.Response(204)])
        client = client_of(transport, clock)
        answer = await ask(client, writing=writing)
        await client.close()
        return answer, len(transport.asked)

    assert in_virtual_time(story) == (None, 1)


@pytest.mark.parametrize("writing", [False, True])
@pytest.mark.parametrize("value", [b"Orl\xe9ans", "Orléans".encode(), b"\xff\xfe"])
def test_a_header_in_any_charset_loses_no_answer(value: bytes, writing: bool) -> None:
    """What was done and paid for is known, whatever a machine on the way adds to the answer."""

    async def story(clock: VirtualClock) -> Any:
        client = client_of(Answering(clock, [httpx.Response(200, headers=[(b"X-Served-From", value)], json=[])]), clock)
        answer = await ask(client, writing=writing)
        await client.close()
        return answer

    assert in_virtual_time(story) == []


def test_a_read_that_recovers_gives_its_answer() -> None:
    """Three failures of three kinds cost three calls more, and nothing else."""

    async def story(clock: VirtualClock) -> None:
        answers: list[httpx.Response | Exception] = [
            httpx.ConnectError("no"),
            httpx.Response(502),
            httpx.Response(200, text="?"),
            httpx.Response(200, json=[7]),
        ]
        transport = Answering(clock, answers)
        client = client_of(transport, clock)
        assert await client.read("/x", query={}) == [7]
        assert [call.status for call in client.calls] == [None, 502, 200, 200]
        await client.close()

    in_virtual_time(story)


@pytest.mark.parametrize("writing", [False, True])
def test_a_redirect_is_refused_and_not_followed(writing: bool) -> None:
    """The key never travels to another address, whatever the API says."""
    answer = httpx.Response(307, headers={"Location": "https://elsewhere.example/x"})
    caught, transport = caught_from(answer, httpx.Response(200, json={}), writing=writing)
    assert type(caught) is Rejected
    assert "it redirects" in str(caught)
    assert "api.base_url" in str(caught.remedy)
    assert len(transport.asked) == 1


def test_the_words_of_the_api_are_taken_over() -> None:
    """Label, scope, reference and message of the flat error body are in the error."""
    body = {
        "error_label": "BAD_INPUT",
        "error_scope": "input",
        "error_ref": "r-1",
        "message": "No such field",
        "params": {},
    }
    caught, _ = caught_from(httpx.Response(400, json=body), writing=True)
    assert isinstance(caught, Rejected)
    assert (caught.status, caught.label, caught.scope, caught.ref) == (400, "BAD_INPUT", "input", "r-1")
    assert str(caught) == "POST /x: HTTP 400: No such field (BAD_INPUT)"


@pytest.mark.parametrize("status", [400, 401, 404, 503])
def test_every_kind_of_refusal_takes_over_the_words(status: int) -> None:
    """The label, under either of its names, is not lost with any status."""
    caught, _ = caught_from(httpx.Response(status, json={"label": "NO_ACCESS", "error_scope": "auth"}), writing=True)
    assert isinstance(caught, ApiError)
    assert (caught.label, caught.scope, caught.ref) == ("NO_ACCESS", "auth", None)


@pytest.mark.parametrize(
    "body", [[], None, "no", 7, {"error_label": 7}, {"message": {"a": "b"}}, {"error_label": ["x"]}, {"message": None}]
)
def test_an_error_body_of_any_shape_is_survived(body: Any) -> None:
    """Whatever stands in the body of a refusal, the refusal is told."""
    caught, _ = caught_from(httpx.Response(400, json=body), writing=True)
    assert type(caught) is Rejected
    assert str(caught).startswith("POST /x: HTTP 400")


@pytest.mark.parametrize("content", ["x" * 100_000, "a\n" * 5000, "é" * 3000, "\x00\xff" * 1000])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_long_answer_is_cut(status: int, content: str) -> None:
    """Of a foreign body at most 256 characters stand in a message, on one line."""
    caught, _ = caught_from(httpx.Response(status, text=content), writing=True)
    assert len(str(caught)) < 1200 if "\x00" in content else len(str(caught)) < 400
    assert "\n" not in str(caught)
    body = {"message": content, "error_label": content, "error_scope": content, "error_ref": content}
    refused, _ = caught_from(httpx.Response(400, json=body), writing=True)
    assert isinstance(refused, Rejected)
    assert len(str(refused)) < 800
    assert max(len(str(part)) for part in (refused.label, refused.scope, refused.ref)) <= 259


FAULTS = {
    "status": OutcomeUnknown,
    "non_json": OutcomeUnknown,
    "drop_before": OutcomeUnknown,
    "drop_after": OutcomeUnknown,
    "partial": OutcomeUnknown,
    "slow": OutcomeUnknown,
}


@pytest.mark.parametrize("kind", sorted(FAULTS))
@pytest.mark.parametrize("after", [False, True])
def test_a_write_reaches_the_server_once(kind: Any, after: bool) -> None:
    """Whatever becomes of the answer, the server has seen one request."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            fault = Fault(kind=kind, after=after, times=100, seconds=45)
            reached.simulation.faults.active.append(fault)
            with pytest.raises(FAULTS[kind]):
                await api.create_schedule("an-action", lambda: BODY)
            await asyncio.sleep(60)
            assert [call.method for call in reached.account.calls] == ["POST"]
            assert len(reached.account.schedules.rows) <= 1

    in_virtual_time(story)


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_a_read_outlives_a_passing_fault(kind: Any) -> None:
    """The same faults cost a read one call more."""

    async def story(clock: VirtualClock) -> None:
        async with opened(clock) as (api, reached):
            reached.simulation.faults.active.append(Fault(kind=kind, seconds=45))
            assert await api.schedules() == {}
            await asyncio.sleep(60)
            assert len(reached.account.calls) == 2

    in_virtual_time(story)


@pytest.mark.parametrize("kind", ["status", "non_json", "drop_before", "drop_after", "partial"])
def test_over_a_real_connection_a_write_leaves_once(kind: Any) -> None:
    """On real sockets too, a lost answer is an unknown outcome and one request."""
    with running(SimulatorOptions(), clock=Clock(start=MONDAY_SEVEN, speed=0)) as simulator:

        async def story() -> None:
            settings = ApiSettings(base_url=simulator.url, dialect="rest")
            async with connect(settings, key=KEY, now=lambda: MONDAY_SEVEN) as api:
                # A connection that is kept open is the one that breaks.
                assert await api.schedules() == {}
                simulator.inject(Fault(kind=kind, times=100))
                with pytest.raises(OutcomeUnknown):
                    await api.create_schedule("an-action", lambda: BODY)

        asyncio.run(story())
        assert [call.method for call in simulator.account.calls] == ["GET", "POST"]


def test_every_kind_of_fault_was_thought_of() -> None:
    """A new kind of fault in the simulator must be placed in these tables."""
    assert set(get_args(Kind)) == {*FAULTS, "rate_limit", "stale_listing", "shifting_listing", "unknown_fields"}


def test_nobody_listens() -> None:
    """A refused connection is Unreachable, names the address, and nothing was sent."""
    with running() as simulator:
        url = simulator.url

    async def story() -> None:
        async with connect(ApiSettings(base_url=url, dialect="rest"), key=KEY, now=lambda: MONDAY_SEVEN) as api:
            with pytest.raises(Unreachable, match="no connection") as caught:
                await api.create_schedule("an-action", lambda: BODY)
        assert url in str(caught.value)
        assert "api.base_url" in str(caught.value.remedy)

    asyncio.run(story())


def limited(seconds: float | str) -> httpx.Response:
    return httpx.Response(429, headers={"Retry-After": str(seconds)}, json={"message": "Too many requests"})


@pytest.mark.parametrize("writing", [False, True])
def test_a_429_is_repeated_when_the_api_says(writing: bool) -> None:
    """A refusal for the rate is repeated after Retry-After, also for a write, because it had no effect."""

    async def story(clock: VirtualClock) -> None:
        transport = Answering(clock, [limited(30), limited(7), httpx.Response(200, json={"uid": "u"})])
        client = client_of(transport, clock)
        assert await ask(client, writing=writing) == {"uid": "u"}
        assert [round(moment, 3) for moment in transport.moments] == [0, 30, 37]
        await client.close()

    in_virtual_time(story)


@pytest.mark.parametrize("writing", [False, True])
def test_a_429_for_ever_is_told_at_last(writing: bool) -> None:
    """After five repetitions it is RateLimited, and the reader does not begin anew."""
    caught, transport = caught_from(limited(10), writing=writing)
    assert type(caught) is RateLimited
    assert caught.retryable
    assert "it asks to wait 10 s" in str(caught)
    assert len(transport.asked) == 6


def test_a_429_without_a_time_backs_off() -> None:
    """Where the API does not say how long, the pauses double."""
    caught, transport = caught_from(httpx.Response(429), writing=True)
    assert type(caught) is RateLimited
    assert [round(moment, 3) for moment in transport.moments] == [0, 2, 6, 14, 30, 62]


@pytest.mark.parametrize("wait", ["301", "86400", "Tue, 02 Jun 2026 07:00:00 GMT"])
def test_a_429_until_tomorrow_is_told_at_once(wait: str) -> None:
    """Nobody waits longer than five minutes for one request."""
    caught, transport = caught_from(limited(wait), writing=False)
    assert type(caught) is RateLimited
    assert transport.moments == [pytest.approx(0, abs=0.001)]


def test_retry_after_holds_every_request() -> None:
    """Whoever was refused, all requests of the key wait, reads and writes."""

    async def story(clock: VirtualClock) -> None:
        transport = Answering(clock, [limited(20), httpx.Response(200, json={})])
        client = client_of(transport, clock)
        first = asyncio.create_task(client.read("/first", query={}))
        await asyncio.sleep(1)
        others = [client.read("/second", query={}), client.write("POST", "/third", query={}, body=dict)]
        await asyncio.gather(first, *others)
        assert len(transport.asked) == 4
        assert all(moment >= 20 for moment in transport.moments[1:])
        assert clock.elapsed < 21
        await client.close()

    in_virtual_time(story)


def test_retry_after_may_be_a_date_of_the_server() -> None:
    """A date is read by the server's clock, however wrong the local one goes."""

    async def story(clock: VirtualClock) -> None:
        server = MONDAY_SEVEN + timedelta(hours=5)
        headers = {
            "Date": format_datetime(server, usegmt=True),
            "Retry-After": format_datetime(server + timedelta(seconds=40), usegmt=True),
        }
        transport = Answering(clock, [httpx.Response(429, headers=headers), httpx.Response(200, json={})])
        client = client_of(transport, clock)
        await client.read("/x", query={})
        assert 39 < transport.moments[1] < 41
        await client.close()

    in_virtual_time(story)


@pytest.mark.parametrize("reset", ["25", str(int(MONDAY_SEVEN.timestamp()) + 25)])
@pytest.mark.parametrize("status", [200, 429])
def test_an_exhausted_budget_holds_the_next_request(status: int, reset: str) -> None:
    """With no request remaining, the next one waits for the reset, be it in seconds or a moment."""

    async def story(clock: VirtualClock) -> None:
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
        answers = [httpx.Response(status, headers=headers, json={}), httpx.Response(200, json={})]
        transport = Answering(clock, list(answers))
        client = client_of(transport, clock)
        await client.read("/x", query={})
        await client.read("/x", query={})
        assert transport.moments[1] == pytest.approx(25, abs=0.01)
        await client.close()

    in_virtual_time(story)


def test_a_budget_that_is_left_holds_nothing() -> None:
    """A reset counts only when nothing remains."""

    async def story(clock: VirtualClock) -> None:
        headers = {"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "50"}
        transport = Answering(clock, [httpx.Response(200, headers=headers, json={})])
        client = client_of(transport, clock)
        await client.read("/x", query={})
        await client.read("/x", query={})
        assert clock.elapsed < 1
        await client.close()

    in_virtual_time(story)


def test_the_clock_is_the_servers() -> None:
    """`server_now` follows the Date header of the last answer, and the local clock until there is one."""

    async def story(clock: VirtualClock) -> None:
        ahead = MONDAY_SEVEN + timedelta(days=3)
        dated = httpx.Response(200, headers={"Date": format_datetime(ahead, usegmt=True)}, json={})
        transport = Answering(clock, [dated, httpx.Response(200, json={})])
        client = client_of(transport, clock)
        assert client.server_now() == clock.now()
        await client.read("/x", query={})
        assert abs(client.server_now() - ahead) < timedelta(seconds=1)
        await asyncio.sleep(100)
        await client.read("/x", query={})
        assert abs(client.server_now() - ahead - timedelta(seconds=100)) < timedelta(seconds=1)
        await client.close()

    in_virtual_time(story)


@given(
    date=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]))
    | st.from_regex(
        r"[A-Z][a-z]{2}, [0-9]{1,2} (Jan|Feb) [0-9]{1,5} [0-9]{2}:[0-9]{2}:[0-9]{2} ([+-][0-9]{4}|GMT)", fullmatch=True
    ),
    wait=st.text(st.characters(codec="ascii", exclude_categories=["Cc"])),
)
def test_any_date_and_any_wait_are_survived(date: str, wait: str) -> None:
    """No header that a server may send ends in anything but an answer."""

    async def story(clock: VirtualClock) -> None:
        headers = {"Date": date, "Retry-After": wait}
        client = client_of(Answering(clock, [httpx.Response(200, headers=headers, json=[7])]), clock)
        assert await client.read("/x", query={}) == [7]
        client.server_now()
        headers = {"Retry-After": date, "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": wait}
        client = client_of(Answering(clock, [httpx.Response(200, headers=headers, json=[7])]), clock)
        assert await client.read("/x", query={}) == [7]
        await client.close()

    in_virtual_time(story)


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 31 Dec 9999 23:59:59 -2300",
        "Mon, 01 Jan 99999 00:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 +9999",
        "Mon, 01 Jan 2026 00:00:00 -0000",
        "",
        "now",
    ],
)
def test_a_date_at_the_end_of_time_is_survived(date: str) -> None:
    """A date that cannot be converted is passed over, as a Date and as a Retry-After."""

    async def story(clock: VirtualClock) -> None:
        client = client_of(Answering(clock, [httpx.Response(200, headers={"Date": date}, json=[7])]), clock)
        assert await client.read("/x", query={}) == [7]
        assert client.server_now() == clock.now()
        client = client_of(Answering(clock, [httpx.Response(200, headers={"Retry-After": date}, json=[7])]), clock)
        assert await client.read("/x", query={}) == [7]
        await client.close()

    in_virtual_time(story)


@pytest.mark.parametrize("writing", [False, True])
@pytest.mark.parametrize(
    "answer",
    [
        *(httpx.Response(status, json={"message": "No"}) for status in (200, 302, 400, 401, 404, 429, 500)),
        *(failure_of(error) for error in (httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError)),
    ],
)
def test_the_key_is_in_no_error(answer: httpx.Response | Exception, writing: bool) -> None:
    """Neither message, representation, chain nor call record shows the key; only the request's header has it."""

    async def story(clock: VirtualClock) -> None:
        transport = Answering(clock, [answer])
        client = client_of(transport, clock)
        text = ""
        try:
            await ask(client, writing=writing)
        except CdsyncError as error:
            text = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
        assert KEY not in f"{text} {client!r} {client.calls!r}"
        assert {request.headers["x-api-key"] for request in transport.asked} == {KEY}
        assert all(KEY not in str(request.url) for request in transport.asked)
        await client.close()

    in_virtual_time(story)


@pytest.mark.parametrize("writing", [False, True])
def test_an_answer_without_end_is_given_up(writing: bool) -> None:
    """A small packed answer that would fill the memory is given up; of a write nobody knows the outcome then."""
    packed = gzip.compress(b" " * (LARGEST_ANSWER + 1))

    async def story(clock: VirtualClock) -> CdsyncError:
        def answer(_request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, headers={"Content-Encoding": "gzip"}, content=packed)

        client = client_of(httpx.MockTransport(answer), clock)
        with pytest.raises(CdsyncError) as caught:
            await ask(client, writing=writing)
        await client.close()
        return caught.value

    error = in_virtual_time(story)
    assert isinstance(error, OutcomeUnknown if writing else ServerFault)
    assert "it holds more than 64 MiB" in str(error)


@pytest.mark.parametrize(("told", "error"), [(402, Rejected), (None, Rejected), (500, OutcomeUnknown)])
def test_a_live_answer_that_is_an_error_is_no_row(told: int | None, error: type[ApiError]) -> None:
    """A refusal in disguise has its label, and is not stored as the result of an input."""

    async def story(clock: VirtualClock) -> None:
        body = {"error_label": "NO_ACCESS", "message": f"no credits for {KEY}", "status_code": told}
        client = client_of(Answering(clock, [httpx.Response(200, json=body)]), clock)
        with pytest.raises(ApiError) as caught:
            await client.exchange("POST", "/x", query={}, body=dict, live=True)
        assert (type(caught.value), caught.value.label, caught.value.status) == (error, "NO_ACCESS", told or 200)
        assert KEY not in str(caught.value)
        await client.close()

    in_virtual_time(story)


def test_what_is_no_json_in_an_answer_is_null() -> None:
    """NaN and Infinity get into no file that we write."""

    async def story(clock: VirtualClock) -> None:
        answer = httpx.Response(200, text='[NaN, Infinity, -Infinity, 1e999, 1.5, {"a": [-1e999]}]')
        client = client_of(Answering(clock, [answer]), clock)
        assert await client.read("/x", query={}) == [None, None, None, None, 1.5, {"a": [None]}]
        await client.close()

    in_virtual_time(story)


def test_an_answer_that_comes_twice_is_no_answer_to_the_next_write() -> None:
    """Each write has a connection of its own, so that what is left on one is read by nobody."""

    async def story() -> None:
        asked: list[bytes] = []

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                asked.append(line.split(b" ")[1])
                length = 0
                while (header := await reader.readline()).strip():
                    length = int(header.split(b":")[1]) if header.lower().startswith(b"content-length") else length
                await reader.readexactly(length)
                body = b'"%b"' % asked[-1]
                head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
                writer.write((head + body) * 2)
                await writer.drain()
            writer.close()
            await writer.wait_closed()
            ended.release()

        ended = asyncio.Semaphore(0)
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        client = Client(
            base_url=url, key=KEY, limiter=Limiter(6000), timeout=timedelta(seconds=5), now=lambda: MONDAY_SEVEN
        )
        for path in ("/a", "/b", "/c"):
            await client.read("/read", query={})
            assert await client.write("POST", path, query={}, body=dict) == path
        await client.close()
        for _ in range(4):  # one of each write, and one of all reads
            await ended.acquire()
        server.close()

    asyncio.run(story())
