"""The examination: what works, what does not, and what to do about it. It changes nothing.

It is made to be run when things are broken. Each look stands alone: what one of them fails of is its finding, and the
others are made all the same. No finding holds a secret.
"""

from __future__ import annotations

from cdsync.doctor.examination import examine

__all__ = ["examine"]
