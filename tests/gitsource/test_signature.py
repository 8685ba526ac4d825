"""Signed by somebody who may sign, or not followed."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from cdsync.errors import CommitRefused, GitError
from tests.gitsource.upstream import RUN, Machine, Upstream, git

ONE = {"a.yaml": RUN.format("one")}


def ssh_key(folder: Path, name: str) -> Path:
    """A new key of ssh, without a passphrase."""
    path = folder / name
    subprocess.run(
        [shutil.which("ssh-keygen") or "", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)],
        check=True,
        timeout=60,
    )
    return path


def signed(upstream: Upstream, files: dict[str, str], key: Path) -> str:
    """Push a commit that is signed with a key of ssh."""
    options = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={key}", "-c", "commit.gpgsign=true")
    commit = upstream.commit(files, *options)
    upstream.send()
    return commit


def allow(machine: Machine, *keys: Path) -> Path:
    """Let these keys sign, and nobody else; gives the file of allowed signers."""
    file = machine.settings.root / "allowed_signers"
    lines = [f"{key.name}@example.com {key.with_suffix('.pub').read_text(encoding='ascii')}" for key in keys]
    file.write_text("".join(lines), encoding="ascii")
    machine.git = replace(machine.git, verify="ssh", allowed_signers=file)
    machine.restart()
    return file


def refused(machine: Machine) -> str:
    """Why the newest commit is refused."""
    with pytest.raises(CommitRefused) as caught:
        asyncio.run(machine.latest())
    return str(caught.value)


def test_only_what_an_allowed_signer_signed_is_followed(tmp_path: Path, upstream: Upstream, machine: Machine) -> None:
    """An unsigned commit, one that a stranger signed, and one whose signature is another's are refused by name."""
    ann, eve = ssh_key(tmp_path, "ann"), ssh_key(tmp_path, "eve")
    signers = allow(machine, ann)
    good = signed(upstream, ONE, ann)
    assert asyncio.run(machine.latest()).commit == good
    commit = upstream.push({"a.yaml": RUN.format("two")})
    assert refused(machine) == f"commit {commit[:12]} has no ssh signature, which daemon.git.verify asks for"
    commit = signed(upstream, {"a.yaml": RUN.format("three")}, eve)
    told = refused(machine)
    assert told.startswith(f"commit {commit[:12]} is signed by ED25519 key SHA256:")
    assert told.endswith(", which is none of those that may sign, or not valid any more")
    machine.restart()
    kept = asyncio.run(machine.good())
    assert kept is not None
    assert kept.commit == good
    # Whoever may sign by now is looked up anew, without a restart.
    lines = f"eve@example.com {eve.with_suffix('.pub').read_text(encoding='ascii')}"
    signers.write_text(lines, encoding="ascii")
    assert asyncio.run(machine.latest()).commit == commit


def test_a_signature_for_other_contents_is_refused(tmp_path: Path, upstream: Upstream, machine: Machine) -> None:
    """A signature is good for the commit that it was made for, and for no other."""
    ann = ssh_key(tmp_path, "ann")
    allow(machine, ann)
    signed(upstream, ONE, ann)
    raw = git(upstream.work, "cat-file", "commit", "HEAD") + "\n"
    forged = git(
        upstream.work, "hash-object", "-t", "commit", "-w", "--stdin", given=raw.replace("Ann", "Eve").encode()
    )
    git(upstream.work, "push", "-q", "--force", "origin", f"{forged}:refs/heads/main")
    assert refused(machine).startswith(f"commit {forged[:12]} ")


def test_a_signed_tag_vouches_for_no_commit(tmp_path: Path, upstream: Upstream, machine: Machine) -> None:
    """What counts is the signature of the commit, wherever it was found."""
    ann = ssh_key(tmp_path, "ann")
    allow(machine, ann)
    upstream.push(ONE)
    options = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={ann}")
    git(upstream.work, *options, "tag", "-s", "-m", "x", "v1")
    git(upstream.work, "push", "-q", "--tags", "origin")
    machine.git = replace(machine.git, ref="v1")
    machine.restart()
    assert refused(machine).endswith("has no ssh signature, which daemon.git.verify asks for")


def test_a_good_commit_from_before_is_held_to_the_signers_of_now(
    tmp_path: Path, upstream: Upstream, machine: Machine
) -> None:
    """Asking for signatures later does not let an unsigned commit in by the back door of a restart."""
    upstream.push(ONE)
    asyncio.run(machine.latest())
    allow(machine, ssh_key(tmp_path, "ann"))
    with pytest.raises(CommitRefused):
        asyncio.run(machine.good())


def test_signers_that_cannot_be_read_let_nothing_in(tmp_path: Path, upstream: Upstream, machine: Machine) -> None:
    """A missing or empty file of signers is told as such."""
    ann = ssh_key(tmp_path, "ann")
    file = allow(machine)
    signed(upstream, ONE, ann)
    for reason in ("it is empty", "No such file or directory"):
        with pytest.raises(GitError, match=f"nobody may sign: daemon.git.allowed_signers is .*: {reason}"):
            asyncio.run(machine.latest())
        file.unlink(missing_ok=True)


def gpg(home: Path, *arguments: str) -> bytes:
    """Run gpg with a home of its own."""
    environment = {"PATH": os.environ["PATH"], "GNUPGHOME": str(home)}
    command = [shutil.which("gpg") or "", "--batch", "--quiet", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, check=True, timeout=60).stdout


def test_keys_of_gpg_are_held_to_in_the_same_way(tmp_path: Path, upstream: Upstream, machine: Machine) -> None:
    """The keys of the file may sign, and no others that some keyring of the machine holds."""
    if shutil.which("gpg") is None:
        pytest.skip("there is no gpg")
    ann, eve = (Path(f"{tmp_path}/{name}") for name in ("ann", "eve"))
    try:
        for home in (ann, eve):
            home.mkdir(mode=0o700)
            gpg(
                home, "--passphrase", "", "--quick-generate-key", f"{home.name}@example.com", "ed25519", "sign", "never"
            )
        ring = machine.settings.root / "keys.asc"
        ring.write_bytes(gpg(ann, "--export", "--armor"))
        machine.git = replace(machine.git, verify="gpg", keyring=ring)
        machine.environment["GNUPGHOME"] = str(eve)
        machine.restart()
        good = signed_by_gpg(upstream, ONE, ann)
        assert asyncio.run(machine.latest()).commit == good
        stranger = signed_by_gpg(upstream, {"a.yaml": RUN.format("two")}, eve)
        assert refused(machine).startswith(f"commit {stranger[:12]} is signed by ")
        unsigned = upstream.push({"a.yaml": RUN.format("three")})
        assert refused(machine) == f"commit {unsigned[:12]} has no gpg signature, which daemon.git.verify asks for"
        signed(upstream, {"a.yaml": RUN.format("four")}, ssh_key(tmp_path, "other"))
        assert "has no valid gpg signature" in refused(machine)
        allow(machine, tmp_path / "other")
        signed_by_gpg(upstream, {"a.yaml": RUN.format("five")}, ann)
        assert "has no ssh signature" in refused(machine)
        assert list(machine.copy.parent.glob("gpg-*")) == []
    finally:
        for home in (ann, eve):
            subprocess.run(
                [shutil.which("gpgconf") or "", "--homedir", str(home), "--kill", "all"], check=False, timeout=60
            )


def signed_by_gpg(upstream: Upstream, files: dict[str, str], home: Path) -> str:
    """Push a commit that is signed with the key of a home of gpg."""
    upstream.write(files)
    git(upstream.work, "add", "-A")
    options = ("-c", f"user.signingkey={home.name}@example.com", "commit", "-q", "-S", "-m", "change")
    git(upstream.work, *options, GNUPGHOME=str(home))
    upstream.send()
    return git(upstream.work, "rev-parse", "HEAD")


def test_a_keyring_that_holds_no_key_lets_nothing_in(upstream: Upstream, machine: Machine) -> None:
    """What gpg cannot read is told with the way to write it."""
    if shutil.which("gpg") is None:
        pytest.skip("there is no gpg")
    ring = machine.settings.root / "keys.asc"
    ring.write_text("rubbish", encoding="ascii")
    machine.git = replace(machine.git, verify="gpg", keyring=ring)
    machine.restart()
    upstream.push(ONE)
    with pytest.raises(GitError) as caught:
        asyncio.run(machine.latest())
    assert str(caught.value).startswith(f"the keys of {ring} cannot be read: ")
    assert caught.value.remedy == "write it with: gpg --export --armor KEY..."
