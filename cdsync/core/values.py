"""Values of which there are thousands: as frozen as any other to the type checker, and quickly made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as value_class
else:

    def value_class(*, frozen: bool, **options: Any) -> Callable[[type], type]:
        """`dataclass`, whose instances are held to be frozen only where the code is checked.

        To refuse an assignment while the program runs makes a value take three times as long to be made.
        """
        return dataclass(unsafe_hash=frozen, **options)


__all__ = ["value_class"]
