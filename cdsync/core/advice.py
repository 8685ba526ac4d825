"""Why a run stands still, label by label: can resuming help, must it wait, or does it need a person.

Facts from the API contract, section 5 (the vendor's newest error reference; older pages are looser and not followed).
A label that is not in the table needs a person; so does an error without one, or a postponement to nobody knows when.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cdsync.core.model import FINAL_RUN_STATUSES, Address, Kind, RunError
from cdsync.core.progress import ANSWER_LOST, BAD_NEXT_PAGE, CURSOR_EXPIRED, RESULTS_AHEAD


class Help(StrEnum):
    """What can move a run on."""

    RESUME = "resume"
    WAIT = "wait"
    PERSON = "person"


class Then(StrEnum):
    """What comes after what a person does about it, as long as the run is not over."""

    NOTHING = "nothing"
    BY_ITSELF = "by-itself"
    RESUME = "resume"
    ANEW = "anew"


@dataclass(frozen=True, slots=True)
class Advice:
    """What can move a run on, and the sentence for a person; `account` when it hinders every other input as well.

    `rest` ends the sentence for a run that is not over.
    """

    help: Help
    text: str
    then: Then = Then.NOTHING
    account: bool = False
    rest: str = ""

    def words(self, address: Address, *, over: bool = False) -> str:
        """The whole sentence about a run of a resource; one that is `over` cannot be resumed."""
        if self.then is Then.NOTHING:
            return self.text
        if self.then is Then.RESUME and not over:
            return f"{self.text}, then: cdsync resume {address}"
        if self.then is Then.BY_ITSELF and not over:
            return f"{self.text}; {self.rest}"
        again = to_run_again(address)
        return f"{self.text}; this run is over: {again}" if over else f"{self.text}; {again}"


def to_run_again(address: Address) -> str:
    """How a resource comes to another run, as no run is launched twice."""
    return "its next firing is a new run" if address.kind is Kind.SCHEDULE else "declare it under a new name"


_WAITING = Advice(
    Help.WAIT, "a limit of the vendor is reached", Then.BY_ITSELF, rest="the vendor retries when it is over"
)
_INPUT = Advice(Help.PERSON, "fix the inputs or parameters", Then.ANEW)
_IDENTITY = Advice(Help.PERSON, "reconnect the identity", Then.RESUME, account=True)
_CREDITS = Advice(Help.PERSON, "add credits or a subscription", Then.RESUME, account=True)
_TARGET = Advice(Help.PERSON, "the target does not allow or have it; nothing to retry")
_VENDOR = Advice(Help.PERSON, "ask the vendor's support, giving the run's UID")
_PASSING = Advice(Help.RESUME, "a passing fault", Then.BY_ITSELF, rest="resuming can help")

NOTHING_FOUND = frozenset({"NO_RESULT", "NO_DATA_LOADED", "NO_DATA_AVAILABLE"})
"""Labels of an input that was fine and had no result (API contract section 5.2: FAILED can mean that too)."""

BY_LABEL = {
    "LIMIT_REACHED": _WAITING,
    "STATUS_429": _WAITING,
    "LK_524": _PASSING,
    "PROXY_ERROR": _PASSING,
    "BAD_INPUT": _INPUT,
    "BAD_PARAMETERS": _INPUT,
    "MISSING_PARAMETER": _INPUT,
    "MANDATORY_DATA_MISSING": _INPUT,
    "UNDEFINED_FIELD": _INPUT,
    "NO_ACCESS": _CREDITS,
    "NO_VALID_ACCOUNT_CONFIGURED": _IDENTITY,
    "NOT_CONNECTED": _IDENTITY,
    "AUTH_EXPIRED": _IDENTITY,
    "SN_CONFLICT": _IDENTITY,
    "SN_ACCOUNT_UPGRADE": _IDENTITY,
    "STATUS_403": _TARGET,
    "STATUS_404": _TARGET,
    "NO_RESULT": _TARGET,
    "NO_DATA_LOADED": _TARGET,
    "NO_DATA_AVAILABLE": _TARGET,
    "LK_MISSING_DATA": _TARGET,
    "SN_OUT_OF_NETWORK": _TARGET,
    "PROFILE_NOT_ACCESSIBLE": _TARGET,
    "LK_INMAIL_CANNOT_RESEND": _TARGET,
    "LK_INMAIL_NOT_ENOUGH_CREDIT": _TARGET,
    "LK_EVENT": _TARGET,
    "ALREADY_CONNECTED": _TARGET,
    "INVITATION_PENDING": _TARGET,
    "INTEGRATION_ERROR": _VENDOR,
    "GENERIC_ERROR": _VENDOR,
    "LK_ERROR": _VENDOR,
    "UNKNOWN_ERROR": _VENDOR,
    ANSWER_LOST: Advice(Help.PERSON, "it was paid for, but its answer was lost; ask anew under a new name, paid again"),
    CURSOR_EXPIRED: Advice(Help.PERSON, "its next page is out of reach; ask anew under a new name, paid again"),
    BAD_NEXT_PAGE: Advice(Help.PERSON, "the API named a next page that is none; ask the vendor's support"),
    RESULTS_AHEAD: Advice(
        Help.PERSON,
        "its result files hold more than the state knows of: bring back the newer state, or move them elsewhere, and "
        "what they hold is asked for and paid again",
        account=True,
    ),
    "ACTION_ABORTED": Advice(Help.PERSON, "the vendor aborted it; cdsync status shows its message"),
}


def advice_on(error: RunError | None) -> Advice:
    """What can move a run on that stands still with this error; no error at all is a stop that resuming undoes."""
    if error is None:
        return Advice(Help.RESUME, "it was stopped without an error; resuming continues it")
    if error.label is None and error.unread_postponement is None:
        return Advice(Help.PERSON, "its error has no label; look at the run, and resume it when its cause is mended")
    unknown = Advice(Help.PERSON, f"unknown error label {error.label}; cdsync status shows its message")
    advice = BY_LABEL.get(error.label, unknown) if error.label is not None else _PASSING
    if error.unread_postponement is not None and advice.help is Help.RESUME:
        return Advice(Help.PERSON, f"postponed until {error.unread_postponement}, which cannot be read; resume it then")
    return advice


def advice_on_run(status: str, error: RunError | None, address: Address) -> str | None:
    """The sentence about a run of a resource in this status with this last error; None where all is well."""
    if error is None or status == "SUCCEEDED":
        return None
    words = advice_on(error).words(address, over=status in FINAL_RUN_STATUSES)
    return f"some of its inputs have no rows: {words}" if status == "PARTIAL_SUCCEEDED" else words
