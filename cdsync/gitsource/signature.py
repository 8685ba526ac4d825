"""Whether a commit is signed by somebody who may sign: git says so, and what it tells too.

The signature of the commit counts, also where a tag leads to it: a signed tag vouches for nothing here.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from cdsync.errors import CommitRefused, GitError
from cdsync.gitsource.access import Access
from cdsync.gitsource.complaints import essence
from cdsync.gitsource.copy import Copy
from cdsync.gitsource.program import Answer, Git
from cdsync.settings import GitSettings

_NONE = "false"
"""The program that verifies what must not count, and says no."""

_GOOD_BY_SSH = re.compile(r'^Good "git" signature for .+ with \S+ key SHA256:\S+$', re.MULTILINE)
_GOOD_BY_GPG = re.compile(r"^\[GNUPG:\] GOODSIG .*(?:\n.*)*^\[GNUPG:\] VALIDSIG ", re.MULTILINE)
_NOT_GOOD = re.compile(r"^\[GNUPG:\] (?:BADSIG|ERRSIG|EXPSIG|EXPKEYSIG|REVKEYSIG) ", re.MULTILINE)

_KEY_OF_SSH = re.compile(r"signature with (\S+ key SHA256:\S+)$", re.MULTILINE)
_KEY_OF_GPG = re.compile(
    r"^\[GNUPG:\] (?:BADSIG|ERRSIG|EXPSIG|EXPKEYSIG|REVKEYSIG|NO_PUBKEY) ([0-9A-F]+)", re.MULTILINE
)

_IMPORTED = b"[GNUPG:] IMPORT_OK "
_GPG_CONFIGURATION = "no-autostart\nno-auto-key-locate\nno-auto-key-retrieve\n"


async def verify(copy: Copy, commit: str, *, git: GitSettings, program: Git) -> None:
    """Hold a commit to what the settings say about signatures.

    Raises:
        CommitRefused: it is not signed, or by nobody who may sign.
        GitError: those who may sign cannot be read.
    """
    match git.verify:
        case "none":
            return
        case "ssh":
            answer = await _by_ssh(copy, commit, _readable(git.allowed_signers, "allowed_signers"))
            good = _GOOD_BY_SSH.search(answer.err)
        case "gpg":
            answer = await _by_gpg(copy, commit, _readable(git.keyring, "keyring"), program)
            good = None if _NOT_GOOD.search(answer.err) else _GOOD_BY_GPG.search(answer.err)
    if answer.code != 0 or not good:
        raise _refusal(commit, answer.err, git)


async def _by_ssh(copy: Copy, commit: str, signers: Path) -> Answer:
    settings = {"gpg.format": "ssh", "gpg.ssh.allowedSignersFile": str(signers)}
    settings |= {"gpg.program": _NONE, "gpg.x509.program": _NONE, "gpg.ssh.program": "ssh-keygen"}
    return await copy.ask("verify-commit", "--raw", "--end-of-options", commit, settings=settings)


async def _by_gpg(copy: Copy, commit: str, keyring: Path, program: Git) -> Answer:
    """Verify with a home of gpg made for this alone, so that its keys are those of the file and no others."""
    with tempfile.TemporaryDirectory(prefix="gpg-", dir=program.folder) as home:
        _configure(home)
        options = ("--homedir", home, "--batch", "--quiet", "--status-fd", "1")
        read = await program.run_gpg(*options, "--import", "--", str(keyring))
        # Its exit code is also about the agent, which is of no use for public keys.
        if _IMPORTED not in read.out:
            raise GitError(
                f"the keys of {keyring} cannot be read: {essence(read.err, Access())}",
                remedy="write it with: gpg --export --armor KEY...",
            )
        settings = {"gpg.program": "gpg", "gpg.x509.program": _NONE, "gpg.ssh.program": _NONE}
        command = ("verify-commit", "--raw", "--end-of-options", commit)
        return await copy.ask(*command, settings=settings, more={"GNUPGHOME": home})


def _configure(home: str) -> None:
    Path(home, "gpg.conf").write_text(_GPG_CONFIGURATION, encoding="ascii")


def _readable(path: Path | None, key: str) -> Path:
    try:
        if path is not None and path.read_bytes():
            return path
        reason = "it is empty"
    except OSError as error:
        reason = error.strerror or "it cannot be read"
    raise GitError(
        f"nobody may sign: daemon.git.{key} is {path}: {reason}",
        remedy="put the public keys of those who may sign there",
    )


def _refusal(commit: str, told: str, git: GitSettings) -> CommitRefused:
    keys = _KEY_OF_SSH.findall(told) + _KEY_OF_GPG.findall(told)
    if not told.strip():
        fault = f"has no {git.verify} signature, which daemon.git.verify asks for"
    elif keys:
        fault = f"is signed by {keys[0]}, which is none of those that may sign, or not valid any more"
    else:
        fault = f"has no valid {git.verify} signature: {essence(told, Access())}"
    where = git.allowed_signers if git.verify == "ssh" else git.keyring
    return CommitRefused(
        f"commit {commit[:12]} {fault}", remedy=f"sign a further commit with a key of {where}, and push it"
    )
