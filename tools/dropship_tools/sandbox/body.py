"""Reading a JSON request body as strictly as the providers' PHP does; Python's own reader takes more than JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dropship_tools.wire import MAX_DEPTH, depth_exceeds

if TYPE_CHECKING:
    from starlette.requests import Request


async def json_body(request: Request) -> Any:
    """The decoded body. ValueError: not JSON, `NaN` and its like, half a surrogate pair, or nested too deeply."""
    try:
        body: Any = json.loads(await request.body(), parse_constant=_refuse)
        json.dumps(body, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if depth_exceeds(body, MAX_DEPTH):  # PHP takes 512 levels; what stores and shows a body works through each of them
        raise ValueError("nested too deeply")
    return body


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
