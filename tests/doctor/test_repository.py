"""What the doctor finds out about the repository of the declaration."""

from __future__ import annotations

import asyncio
from pathlib import Path

from cdsync.assembly import Surroundings, settings_of
from cdsync.doctor.repository import look_at_repository
from tests.gitsource.upstream import RUN, Machine, Upstream, settings_for


def found(around: Surroundings) -> list[str]:
    """The findings but for the version of git, as `what: grade: detail`."""

    async def look() -> list[str]:
        findings = [finding async for finding in look_at_repository(settings_of(around), around)]
        return [f"{row.what}: {row.grade}: {row.detail}" for row in findings if row.what != "git"]

    return asyncio.run(look())


def test_remote_and_last_good_commit_are_told(tmp_path: Path) -> None:
    """It says whether the remote can be read and what was taken from it, and leaves nothing behind."""
    upstream = Upstream.at(tmp_path / "there")
    machine = Machine(tmp_path / "here", settings_for(upstream))
    root = machine.settings.root
    around = Surroundings(root=root, environment={**machine.environment, "CDSYNC_STATE": str(machine.settings.state)})
    (root / "cdsync.yaml").write_text("", encoding="utf-8")
    assert found(around) == []
    (root / "cdsync.yaml").write_text(f"daemon: {{git: {{url: {upstream.bare}}}}}\n", encoding="utf-8")
    nothing = "last good commit: warn: the daemon has taken up none yet"
    empty = "the repository is empty, or the branch that it shows first does not exist"
    assert found(around) == [f"repository: fail: {empty}", nothing]
    commit = upstream.push({"a.yaml": RUN.format("one")})
    reachable = f"repository: ok: {upstream.bare} can be read, and has HEAD"
    assert found(around) == [reachable, nothing]
    assert not machine.settings.state.parent.exists()
    asyncio.run(machine.latest())
    assert found(around) == [reachable, f"last good commit: ok: {commit[:12]}"]
