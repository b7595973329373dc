"""Bearer tokens of the API: made, listed, revoked. Only hashes are stored; a lost token is replaced, not found.

A token has 256 random bits, so a plain SHA-256 is enough: there is nothing to guess that a slow hash would protect.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

from domain.errors import AlreadyExists, InvalidField, NotFound
from infra.postgres import Connection

PREFIX = "fl_"
"""Every token begins so: secret scanners and people recognise it."""
ADMINISTRATOR_FILE = "admin.token"
LONGEST_NAME = 128

_FIRST_TOKEN_LOCK = 6_514_921_730_184_178


class Role(StrEnum):
    """What a token's owner is; `api.auth` says what each may do."""

    ADMINISTRATOR = "administrator"
    CASHIER = "cashier"
    AUDITOR = "auditor"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token without its secret; `revoked_at` is None while it is valid."""

    token_id: UUID
    sha256: bytes
    name: str
    role: Role
    created_at: datetime
    revoked_at: datetime | None


def token_hash(token: str) -> bytes:
    """Return the SHA-256 that stands for a token."""
    return hashlib.sha256(token.encode()).digest()


def create_token(connection: Connection, name: str, role: Role) -> str:
    """Return a new token; it is shown this once.

    Raises: InvalidField; AlreadyExists when a valid token has the name.
    """
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidField(field="name", expected=f"1 to {LONGEST_NAME} printable characters")
    token = PREFIX + secrets.token_urlsafe(32)
    _insert(connection, token, name, role)
    return token


def list_tokens(connection: Connection) -> list[TokenRow]:
    """Return all tokens, newest first, revoked ones too."""
    rows = connection.execute(f"{_SELECT} ORDER BY created_at DESC, token_id").fetchall()
    return [_row(row) for row in rows]


def revoke_token(connection: Connection, token_id: UUID) -> TokenRow:
    """Make a token invalid; again changes nothing. Raises: NotFound."""
    row = connection.execute(
        f"{_REVOKE} RETURNING {_COLUMNS}",
        [token_id],
    ).fetchone()
    if row is None:
        raise NotFound(what="token", id=str(token_id))
    return _row(row)


def find_token(connection: Connection, sha256: bytes) -> TokenRow | None:
    """Return the valid token with this hash."""
    row = connection.execute(
        f"{_SELECT} WHERE sha256 = %s AND revoked_at IS NULL", [sha256]
    ).fetchone()
    return None if row is None else _row(row)


def ensure_administrator(connection: Connection, data_dir: Path) -> Path | None:
    """Make the first token, an administrator's, if there is none yet; return the file that holds it.

    The file is complete, and readable by its owner only, before the token becomes valid: a process that dies in
    between leaves a file without a token, which the next start replaces. Raises: OSError.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_FIRST_TOKEN_LOCK])
        if connection.execute("SELECT 1 FROM tokens LIMIT 1").fetchone() is not None:
            return None
        token = PREFIX + secrets.token_urlsafe(32)
        path = _write_secret(data_dir / ADMINISTRATOR_FILE, token)
        _insert(connection, token, "administrator", Role.ADMINISTRATOR)
    return path


_COLUMNS = "token_id, sha256, name, role, created_at, revoked_at"
_REVOKE = "UPDATE tokens SET revoked_at = coalesce(revoked_at, now()) WHERE token_id = %s"
_SELECT = f"SELECT {_COLUMNS} FROM tokens"  # noqa: S608 - no input in it


def _row(row: tuple[UUID, bytes, str, str, datetime, datetime | None]) -> TokenRow:
    token_id, sha256, name, role, created_at, revoked_at = row
    return TokenRow(token_id, bytes(sha256), name, Role(role), created_at, revoked_at)


def _insert(connection: Connection, token: str, name: str, role: Role) -> None:
    try:
        connection.execute(
            "INSERT INTO tokens (token_id, sha256, name, role) VALUES (%s, %s, %s, %s)",
            [uuid4(), token_hash(token), name, role.value],
        )
    except psycopg.errors.UniqueViolation:
        raise AlreadyExists(what="token", id=name) from None


def _write_secret(path: Path, secret: str) -> Path:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secret + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return path
