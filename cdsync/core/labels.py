"""The label `OWNER/NAME` by which an object on the API is recognised as ours, where the API takes and echoes one.

Writing and reading stand side by side, because a label that is written in one grammar and read in another makes a
duplicate at every pass.
"""

from __future__ import annotations

from cdsync.core.model import NAME, Address, Resource


def label_of(owner: str, address: Address) -> str:
    """The label of a resource; at most 255 characters (API contract: `name`)."""
    return f"{owner}/{address.name}"


def labels_for(resource: Resource, *, owner: str) -> tuple[str, ...]:
    """The labels that its object may carry: that of its name, and that of the name it had before."""
    label = label_of(owner, resource.address)
    return (label, label_of(owner, Address(resource.address.kind, resource.was))) if resource.was else (label,)


def is_anothers(label: str | None, *, owner: str) -> bool:
    """Whether a label has the form of ours, and names another owner."""
    prefix, slash, name = (label or "").rpartition("/")
    return bool(slash) and prefix != owner and bool(prefix) and NAME.fullmatch(name) is not None


def name_in(label: str | None, *, owner: str) -> str | None:
    """The resource name that a label of this owner carries; None for no label, or another's."""
    if label is None:
        return None
    prefix, slash, name = label.rpartition("/")
    return name if slash and prefix == owner and NAME.fullmatch(name) else None
