"""Tokens and keys: they reach git, and nobody else."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from cdsync.core.work import Reference
from cdsync.errors import GitUnreachable, UnresolvedReference
from cdsync.gitsource.access import HIDDEN, access_to
from cdsync.references import References
from cdsync.settings import GitSettings
from tests.gitsource.upstream import REAL_GIT, RUN, Machine, Upstream

TOKEN = "glpat-canary-7c1"
ENCODED = b64encode(f"deploy:{TOKEN}".encode()).decode()
ONE = {"a.yaml": RUN.format("one")}


@dataclass(slots=True)
class Server:
    """A git server over HTTP that lets in who has the token, and takes note of what it is asked."""

    folder: Path
    url: str = ""
    token: str = ENCODED
    asked: list[str] = field(default_factory=list)
    redirect: str = ""


@contextmanager
def serving(folder: Path) -> Iterator[Server]:
    """Serve the repositories of a folder for the duration of a `with` block."""
    server = Server(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.answer()

        def answer(self) -> None:
            server.asked.append(self.headers.get("Authorization", ""))
            if server.redirect:
                self.send_response(301)
                self.send_header("Location", server.redirect + self.path)
                self.end_headers()
            elif self.headers.get("Authorization") != f"Basic {server.token}":
                self.send_error(401, f"not {self.headers.get('Authorization')}")
            else:
                self.backend()

        def backend(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            variables = {
                "GIT_PROJECT_ROOT": str(server.folder),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "GIT_CONFIG_GLOBAL": "/dev/null",
                "PATH": "/usr/bin:/bin",
            }
            done = subprocess.run(
                [REAL_GIT, "http-backend"], env=variables, input=body, capture_output=True, check=True
            )
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            self.send_response(200)
            for line in head.decode().split("\r\n"):
                name, _, value = line.partition(": ")
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server.url = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


def by_token(machine: Machine, url: str) -> None:
    """Let a machine reach its repository with a token from a file."""
    (machine.settings.root / "token").write_text(f"{TOKEN}\n", encoding="utf-8")
    machine.git = replace(machine.git, url=url, username="deploy", token=Reference("file", "token"))
    machine.restart()


def test_a_token_opens_the_repository_and_is_seen_nowhere(upstream: Upstream, machine: Machine) -> None:
    """It goes by a header of the very host, never by an argument; a token that was changed is taken up."""
    upstream.push(ONE)
    with serving(upstream.bare.parent) as server:
        by_token(machine, f"{server.url}/upstream.git")
        runs = machine.record()
        assert asyncio.run(machine.names()) == ["one"]
        said = json.dumps(runs())
        assert TOKEN not in said
        assert ENCODED not in said
        assert set(server.asked) == {f"Basic {ENCODED}"}
        for kept in machine.settings.state.parent.rglob("*"):
            if kept.is_file():
                assert TOKEN.encode() not in kept.read_bytes()
                assert ENCODED.encode() not in kept.read_bytes()
        server.token = b64encode(b"deploy:rotated").decode()
        (machine.settings.root / "token").write_text("rotated", encoding="utf-8")
        upstream.push({"a.yaml": RUN.format("two")})
        assert asyncio.run(machine.names()) == ["two"]


def test_a_token_that_is_refused_is_told_without_showing_it(upstream: Upstream, machine: Machine) -> None:
    """The message says what to look at, and no prompt is waited for."""
    upstream.push(ONE)
    with serving(upstream.bare.parent) as server:
        by_token(machine, f"{server.url}/upstream.git")
        server.token = "another"
        with pytest.raises(GitUnreachable) as caught:
            asyncio.run(machine.latest())
        assert TOKEN not in str(caught.value)
        assert ENCODED not in str(caught.value)
        assert "token" in str(caught.value.remedy)


def test_a_token_does_not_follow_a_redirect(upstream: Upstream, machine: Machine) -> None:
    """A server cannot send git, and what lets it in, to another one."""
    upstream.push(ONE)
    with serving(upstream.bare.parent) as elsewhere, serving(upstream.bare.parent) as server:
        server.redirect = elsewhere.url
        by_token(machine, f"{server.url}/upstream.git")
        with pytest.raises(GitUnreachable) as caught:
            asyncio.run(machine.latest())
        assert caught.value.remedy == "let daemon.git.url be the address that the server redirects to"
        assert elsewhere.asked == []


def test_a_token_that_is_missing_is_told_by_its_name(machine: Machine) -> None:
    """Nothing is tried without it."""
    machine.git = replace(machine.git, url="https://git.example.com/x.git", token=Reference("env", "GIT_TOKEN"))
    machine.restart()
    with pytest.raises(UnresolvedReference, match="GIT_TOKEN"):
        asyncio.run(machine.latest())


FAKE_SSH = """
import os, sys
with open({log!r}, "a") as log:
    print(repr(sys.argv[1:]), file=log)
os.execvp("sh", ["sh", "-c", sys.argv[-1]])
"""


def test_ssh_is_called_with_this_key_alone_and_asks_nothing(upstream: Upstream, machine: Machine) -> None:
    """The deploy key and the known hosts go by options; no agent, no configuration of the user, no prompt."""
    upstream.push(ONE)
    log = machine.folder / "ssh.log"
    machine.put_on_path("ssh", FAKE_SSH.format(log=str(log)))
    key, hosts = machine.folder / "a key", machine.folder / "known hosts"
    key.write_text("no real key", encoding="ascii")
    machine.git = replace(
        machine.git,
        url=f"ssh://git@git.example.com:2222{upstream.bare}",
        ssh_key=Reference("file", str(key)),
        known_hosts=hosts,
        timeout=timedelta(seconds=60),
    )
    machine.restart()
    assert asyncio.run(machine.names()) == ["one"]
    for line in log.read_text(encoding="utf-8").splitlines():
        for words in (
            "'-F', '/dev/null'",
            "'BatchMode=yes'",
            "'StrictHostKeyChecking=yes'",
            "'IdentityAgent=none'",
            "'IdentitiesOnly=yes'",
            f"""'IdentityFile="{key}"'""",
            f"""'UserKnownHostsFile="{hosts}"'""",
            "'-p', '2222', 'git@git.example.com'",
        ):
            assert words in line


def test_a_key_is_a_file_or_a_credential(tmp_path: Path) -> None:
    """A credential of systemd is used where it lies; one that is not there is told."""
    (tmp_path / "deploy").write_text("x", encoding="ascii")
    references = References(root=tmp_path, environment={"CREDENTIALS_DIRECTORY": str(tmp_path)})
    settings = GitSettings(url="git@example.com:a/b.git", ssh_key=Reference("credential", "deploy"))
    assert f'IdentityFile="{tmp_path}/deploy"' in access_to(settings, references).environment["GIT_SSH_COMMAND"]
    gone = replace(settings, ssh_key=Reference("credential", "gone"))
    with pytest.raises(UnresolvedReference, match="gone"):
        access_to(gone, references)


def test_what_git_says_is_shown_without_secrets(tmp_path: Path) -> None:
    """Neither the token, nor its encoded form, nor a user in a URL passes."""
    settings = GitSettings(url="https://example.com/a.git", token=Reference("env", "T"), username="deploy")
    found = access_to(settings, References(root=tmp_path, environment={"T": TOKEN}))
    said = f"fatal: 'https://u:p@example.com/' {TOKEN} Basic {ENCODED}"
    assert found.without_secrets(said) == f"fatal: 'https://example.com/' {HIDDEN} Basic {HIDDEN}"
    assert TOKEN not in repr(found)
