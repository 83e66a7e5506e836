"""A credential that does not show itself."""

from __future__ import annotations

from typing import final


@final
class Secret:
    """A string that never appears in `repr`, `str`, formatting, logs or tracebacks by accident.

    The standard library only (no pydantic `SecretStr`), because settings are read before anything heavy is
    imported. `reveal()` is the one way out, and it is called where a request is signed.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The credential itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret cannot be pickled")
