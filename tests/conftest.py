"""What all tests share: properties are checked without a deadline, because the machine may be busy with the others."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
