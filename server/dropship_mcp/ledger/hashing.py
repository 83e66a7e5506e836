"""Keyed hashes of an order's content, and the secret they are made with.

The secret lies beside the ledger (0600). Without it the hashes in a stolen ledger cannot be tried against guesses of a
buyer's name or street.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from dropship_mcp.ledger.opening import Unusable
from dropship_mcp.ledger.rows import Content

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

FIELD_HASH_CHARACTERS = 12


def load_or_create_secret(path: Path) -> bytes:
    """The 32 bytes in `path`; made on first use, by exactly one of several processes.

    Raises:
        OSError: it can neither be read nor made.
        Unusable: the file does not hold 32 bytes.
    """
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(6)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(32))
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(fresh, path)  # appears whole or not at all; the first process wins
        finally:
            fresh.unlink()
    secret = path.read_bytes()
    if len(secret) != 32:
        raise Unusable("the ledger's key file is damaged")
    return secret


class ContentHasher:
    """Turns contents into keyed hashes."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._keyed = hmac.new(secret, digestmod=hashlib.sha256)

    def key(self, purpose: str) -> bytes:
        """A key of its own for something else; tells nothing of the secret."""
        return hmac.new(self._secret, f"key for\0{purpose}".encode(), hashlib.sha256).digest()

    def key_id(self) -> str:
        """Tells one secret from another without showing it."""
        return self._hash("key", "id")[:16]

    def content(self, content: Mapping[str, Any], trace: str = "", *, parcel: str = "") -> Content:
        """Hashes of an order's normalised content, of its trace and of its parcel."""
        leaves = dict(_leaves(content))
        return Content(
            fingerprint=self._hash("order", _text(leaves)),
            parcel=self._hash("parcel", parcel) if parcel else "",
            fields={name: self._hash(name, value)[:FIELD_HASH_CHARACTERS] for name, value in leaves.items()},
            trace=self.trace(trace) if trace else "",
        )

    def trace(self, trace: str) -> str:
        """Hash of a provider's way to recognise an order."""
        return self._hash("trace", trace)

    def seal(self, text: str) -> str:
        """`text` encrypted, so that only a process with the secret reads it, and nobody changes it."""
        return self._cipher().encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str | None:
        """What was sealed; None for anything else."""
        from cryptography.fernet import InvalidToken

        try:
            if base64.urlsafe_b64encode(base64.urlsafe_b64decode(sealed)).decode() != sealed:
                return None  # decoding passes over letters that are none of base64, or follow its end
            return self._cipher().decrypt(sealed).decode()
        except (InvalidToken, ValueError):
            return None

    def _cipher(self) -> Fernet:
        from cryptography.fernet import Fernet  # only orders that a person is asked about need it

        key = hmac.new(self._secret, b"seal\0", hashlib.sha256).digest()
        return Fernet(base64.urlsafe_b64encode(key))

    def _hash(self, purpose: str, text: str) -> str:
        # `hmac.digest` is quicker, but each time it lets the ledger's thread run and then waits for it
        hashed = self._keyed.copy()
        hashed.update(f"{purpose}\0{text}".encode())
        return hashed.hexdigest()


def _text(leaves: Mapping[str, str]) -> str:
    return json.dumps(leaves, sort_keys=True, ensure_ascii=False)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """`shipping_address.city` -> canonical text, for every value that is not a container."""
    if isinstance(value, str):  # first: most are, and asking for a Mapping takes long
        yield path, value
    elif isinstance(value, Mapping):
        for name, item in cast("Mapping[str, Any]", value).items():
            yield from _leaves(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for index, item in enumerate(cast("Sequence[Any]", value)):
            yield from _leaves(item, f"{path}.{index}")
    elif value is not None:
        yield path, _canonical(value)


def _canonical(value: Any) -> str:
    """Equal amounts are equal text: 10, 10.0 and 10.00 are one price."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return format(Decimal(value).normalize(), "f")
    return str(value)
