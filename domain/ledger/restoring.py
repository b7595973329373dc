"""Going on after the database was restored from a backup that is older than what the tax service has."""

from __future__ import annotations

from uuid import UUID

from domain.identifiers import shard_of
from domain.ledger.base import LedgerBase
from domain.ports import LogPosition
from domain.register.aggregate import Register

REASON = "restored-from-backup"


class Restoring(LedgerBase):
    """Use case of whoever restores a backup; nothing else may write meanwhile."""

    def after_restore(self, register_id: UUID) -> LogPosition | None:
        """Let the tax service be asked before the register's next document, and before the one on its way.

        What was registered after the backup is then adopted. The document on its way may be among it, so it is
        asked about and never sent again blindly, nor signed anew because it is old. A register without an open
        shift needs nothing: opening one reads the state anyway. Raises: NotFound.
        """
        with self.store.hold(Register, register_id, shard=shard_of(register_id)) as register:
            if register.shift is None:
                return None
            if register.outstanding is not None:
                register.record_unknown(reason=REASON)
            register.need_state(reason=REASON)
            if not register.pending_events:
                return None
            return self._save(register, lane=self._due(register, self.clock.now()))
