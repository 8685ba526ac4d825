"""A git repository as a source of the declaration.

The contract of the package:

- It owns the git program. Git runs without a shell, within a time limit that is enforced from outside, and sees no
  configuration, prompt, hook, submodule or filter.
- A look costs one `ls-remote`; something is fetched only when the ref has moved. There is no work tree and no index:
  blobs are read by the id of their commit from a bare copy beside the state.
- A copy that is damaged is fetched anew, once, beside the old one, which stays until the new one is whole.
- A commit is followed only if it is signed as the settings say, descends from the last good one, and is valid; the last
  good one is remembered in the copy, across restarts.
- Secrets come from references, reach git by its environment alone, and are cut from all that it says.
"""

from __future__ import annotations

from cdsync.gitsource.source import Declared, GitSource

__all__ = ["Declared", "GitSource"]
