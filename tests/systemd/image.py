"""What the container is made of: a minimal Debian, kept between runs, and the wheels of the program under test.

Debian's packages come from where this machine's own apt gets them, the wheels from where its own pip does.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import subprocess
from pathlib import Path

HOUSE = Path(__file__).parents[2]

PACKAGES = ("dbus", "git", "libnss-systemd", "python3", "python3-venv", "sqlite3", "systemd", "systemd-sysv")
"""What the container has above Debian's minimum: a system that boots, and what docs/operations.md asks for."""

UNREAD = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")
"""What nobody reads there."""


def cache_folder() -> Path:
    """Where the minimal Debian is kept: $XDG_CACHE_HOME, or what systemd calls the home of caches."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "/var/cache") / "cdsync-test"


def debian(workspace: Path) -> Path:
    """The tar of a minimal Debian of this machine's release, made in `workspace` if it is not in the cache."""
    release = platform.freedesktop_os_release()["VERSION_CODENAME"]
    recipe = hashlib.sha256(shlex.join([release, *PACKAGES, *UNREAD]).encode()).hexdigest()[:12]
    kept = cache_folder() / f"{release}-{recipe}.tar"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        made = _bootstrap(release, workspace)
        # A name is there only when all of it is: a run that is interrupted leaves the next one nothing half-made.
        part = kept.with_suffix(f".{os.urandom(4).hex()}.part")
        try:
            subprocess.run(["cp", made, part], check=True)
            part.rename(kept)
        finally:
            part.unlink(missing_ok=True)
        made.unlink()
    return kept


def _bootstrap(release: str, workspace: Path) -> Path:
    made, settings = workspace / "debian.tar", workspace / "apt.conf"
    # Proxies and the like: this machine's apt knows how to reach its sources.
    settings.write_bytes(subprocess.run(["apt-config", "dump", "Acquire"], check=True, capture_output=True).stdout)
    apt = Path("/etc/apt")
    sources = [apt / "sources.list", *sorted((apt / "sources.list.d").iterdir())]
    command = [
        "mmdebstrap",
        "--quiet",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        f"--aptopt={settings}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in UNREAD),
        release,
        str(made),
        *(str(path) for path in sources if path.suffix in {".list", ".sources"} and path.exists()),
    ]
    subprocess.run(command, check=True, env={**os.environ, "TMPDIR": str(workspace)})
    return made


def wheels(python: str, root: Path, folder: Path) -> None:
    """Put the wheel of this checkout and of all that it needs into `folder`, for the Python of the Debian at `root`."""
    pip = [python, "-m", "pip", "-qq", "--disable-pip-version-check"]
    version = (root / "usr/bin/python3").readlink().name.removeprefix("python")
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", folder, HOUSE], check=True)
    (ours,) = folder.glob("cdsync-*.whl")
    wanted = ["--only-binary=:all:", f"--python-version={version}", f"--constraint={HOUSE / 'constraints.txt'}"]
    subprocess.run([*pip, "download", *wanted, "--dest", folder, ours], check=True)
