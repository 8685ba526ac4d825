"""The journal: each request from before it leaves until it is known what became of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from cdsync.core.model import Address, FollowedRun, Ownership
from cdsync.core.records import HistoryEntry, Intent, PendingIntent
from cdsync.errors import StoreError
from cdsync.store.codec import decode_intent, decode_time, encode_intent, encode_time
from cdsync.store.faults import legible
from cdsync.store.file import StateFile
from cdsync.store.rows import put_history, put_ownership, put_run

CREATIONS = ("create", "launch")
"""The steps whose repetition would be paid for: only these must be resolved by looking."""

LAST = 1_000
"""How many of the last requests are looked through for cancellations."""


class Journal(StateFile):
    """What is under way."""

    @legible
    def pending(self) -> tuple[PendingIntent, ...]:
        """The creations whose outcome is not known, oldest first."""
        rows = self._rows(
            "SELECT id, step, intent, missed_at, missed_local, lost FROM journal WHERE outcome IS NULL ORDER BY id"
        )
        return tuple(
            PendingIntent(
                id=int(number),
                intent=_creation_of(intent),
                missed_at=decode_time(missed_at),
                missed_local=decode_time(missed_local),
                lost=bool(lost),
            )
            for number, step, intent, missed_at, missed_local, lost in rows
            if step in CREATIONS
        )

    @legible
    def just_cancelled(self) -> Mapping[str, datetime]:
        """When we cancelled schedules, by UID, of the last that were; reads may show them as live for a while."""
        last = "SELECT step, outcome, intent FROM journal ORDER BY id DESC LIMIT ?"
        rows = self._rows(f"SELECT intent FROM ({last}) WHERE step = 'delete' AND outcome = 'done'", LAST)  # noqa: S608 # fixed
        intents = [decode_intent(text) for (text,) in rows]
        return {intent.uid: intent.sent_at for intent in intents if intent.uid is not None}

    def begin(self, intent: Intent, *, owned: Ownership | None = None) -> int:
        """Write down a request before it leaves; gives the number under which `finish` closes it.

        `owned` is what is certain about its object from then on, until it is closed.

        Raises:
            StoreError: it cannot be written where the next one looks for it, so it must not be sent.
        """
        self.require_in_place()
        with self._transaction() as connection:
            cursor = connection.execute(
                "INSERT INTO journal (address, step, intent) VALUES (?, ?, ?)",
                (str(intent.address), intent.step, encode_intent(intent)),
            )
            if owned is not None:
                put_ownership(connection, owned)
            return cursor.lastrowid or 0

    def finish(
        self,
        number: int,
        outcome: str,
        *,
        owned: Ownership | None = None,
        run: FollowedRun | None = None,
        entry: HistoryEntry | None = None,
        with_next: bool = False,
    ) -> None:
        """Close a request as `done`, `refused` or `absent`, with what is ours and on record because of it.

        `with_next` is for one that need not be on disk before the next write: a crash until then leaves its outcome
        unknown, as one before the answer does.

        Raises:
            StoreError: it cannot be written, or another resource owns the same object.
        """

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE journal SET outcome = ? WHERE id = ?", (outcome, number))
            if owned is not None:
                put_ownership(connection, owned)
            if run is not None:
                put_run(connection, run)
            if entry is not None:
                put_history(connection, entry)

        if with_next:
            if owned is not None:
                self._require_unowned(owned)
            self._write_with_next(write)
            return
        with self._transaction() as connection:
            write(connection)

    def _require_unowned(self, owned: Ownership) -> None:
        """Make sure that no other resource owns the object, before something is written later that says so."""
        query = "SELECT address FROM ownership WHERE uid = ? AND address <> ?"
        if rows := self._rows(query, owned.uid, str(owned.address)):
            raise StoreError(f"{self.path}: {owned.address} would own {owned.uid}, which {rows[0][0]} owns already")

    def lost(self, number: int) -> None:
        """Note that the answer to a request will not come any more."""
        with self._transaction() as connection:
            connection.execute("UPDATE journal SET lost = 1 WHERE id = ?", (number,))

    def missed(self, number: int, at: datetime, *, local: datetime) -> None:
        """Note that looking for a creation found nothing, the first time: when, by the server's clock and by ours."""
        with self._transaction() as connection:
            row = (encode_time(at), encode_time(local), number)
            connection.execute("UPDATE journal SET missed_at = ?, missed_local = ? WHERE id = ?", row)

    def settle(self, address: Address, *, outcome: str) -> None:
        """Close the creations of a resource whose outcome is unknown, because a person knows it."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE journal SET outcome = ? WHERE outcome IS NULL AND address = ?", (outcome, str(address))
            )


def _creation_of(text: str) -> Intent:
    """A creation; one that does not say of what is a record that makes no sense."""
    intent = decode_intent(text)
    return replace(intent, record=intent.to_own)
