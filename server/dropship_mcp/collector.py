"""The garbage collector, as a server needs it: out of the way while it starts, and seldom afterwards."""

from __future__ import annotations

import gc

YOUNG, OLD = 10_000, 20
"""How seldom it looks. Many calls at once hold so many objects that at Python's 700 and 10 it looks through all of them
again and again: a third of the time for a thousand calls over HTTP, a fifteenth for 32 over pipes."""


def pause() -> None:
    """It finds nothing in imports, and costs a quarter of the start."""
    gc.disable()


def resume() -> None:
    """What is loaded stays, so it need not look at it again."""
    gc.freeze()
    gc.set_threshold(YOUNG, 10, OLD)
    gc.enable()
