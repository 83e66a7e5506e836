"""Refusals before the MCP server, and what tells a client how to get in: RFC 6750 and RFC 9728."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from dropship_mcp.caller import READ, WRITE

WELL_KNOWN = "/.well-known/oauth-protected-resource"
RETRY_SECONDS = 5


def metadata_url(resource: str) -> str:
    """Where the metadata of a protected resource is: RFC 9728, section 3.1."""
    parts = urlsplit(resource)
    return f"{parts.scheme}://{parts.netloc}{WELL_KNOWN}{parts.path}"


def metadata_routes(resource: str, issuer: str) -> list[Route]:
    """The metadata, where clients look for it: with the resource's path and without."""
    metadata = {
        "resource": resource,
        "authorization_servers": [issuer],
        # clients ask for what is named here, and an agent must not hold the scope that approves its orders
        "scopes_supported": [READ, WRITE],
        "bearer_methods_supported": ["header"],
        "resource_name": "dropship-mcp",
    }

    async def answer(_: Request) -> Response:
        return JSONResponse(metadata, headers={"access-control-allow-origin": "*", "cache-control": "max-age=3600"})

    return [Route(path, answer) for path in dict.fromkeys((urlsplit(metadata_url(resource)).path, WELL_KNOWN))]


class Challenges:
    """Answers 401 and 403 the way that clients understand.

    Args:
        metadata: address of the resource's metadata; empty where tokens come from a person and not from an issuer.
    """

    def __init__(self, metadata: str) -> None:
        self._metadata = metadata

    def unauthorized(self, reason: str = "") -> Response:
        """No token, or one that is no good. RFC 6750: without a token there is no error code."""
        error = {"error": "invalid_token", "error_description": f"the token was refused: {reason}"} if reason else {}
        return self._challenge(401, error, (READ,))

    def malformed(self, reason: str) -> Response:
        """A token where none belongs."""
        return self._challenge(400, {"error": "invalid_request", "error_description": reason}, (READ,))

    def forbidden(self, needed: Sequence[str], missing: Sequence[str]) -> Response:
        """A good token that does not allow this; `needed` is what a client has to ask for."""
        error = {"error": "insufficient_scope", "error_description": f"needs {' '.join(missing)}"}
        return self._challenge(403, error, needed)

    def _challenge(self, status: int, error: Mapping[str, str], scopes: Sequence[str]) -> Response:
        values = {**error, "scope": " ".join(scopes)}
        if self._metadata:
            values["resource_metadata"] = self._metadata
        challenge = "Bearer " + ", ".join(f'{name}="{value}"' for name, value in values.items())
        body = error or {"error": "unauthorized", "error_description": "a bearer token is needed"}
        return JSONResponse(body, status, headers={"www-authenticate": challenge})


def refusal(status: int, error: str, description: str, **headers: str) -> Response:
    """Any other refusal."""
    return JSONResponse({"error": error, "error_description": description}, status, headers=headers)


def try_later(description: str, seconds: int = RETRY_SECONDS) -> Response:
    """Nothing is wrong with the request."""
    return refusal(503, "temporarily_unavailable", description, **{"retry-after": str(seconds)})
