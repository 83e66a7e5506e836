"""Did you mean: names that a person misspelt."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, names: Iterable[str], prefix: str = "") -> str:
    """`; did you mean …?` for the nearest of `names`, or nothing.

    `prefix` stands before all of them and is not compared, or all would be alike.
    """
    import difflib  # only a mistake needs it

    wanted = name.removeprefix(prefix)
    near = difflib.get_close_matches(wanted, [known.removeprefix(prefix) for known in names], 1)
    return f"; did you mean {prefix}{near[0]}?" if near else ""
