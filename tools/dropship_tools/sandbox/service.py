"""The sandbox over HTTP: each provider under its own prefix, and a control plane beside them.

/dipli/… /rewix/… /dropday/… /duoplane/…   the providers' documented paths
GET    /_sandbox            what is served, the credentials to use, how many orders there are
GET    /_sandbox/orders     the references that were ordered, per provider
GET    /_sandbox/faults     faults that are not used up; POST one to ask for it, DELETE to drop them all
POST   /_sandbox/reset      forget orders, stock movements and faults
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol, cast

from dropship_tools.sandbox.body import json_body
from dropship_tools.sandbox.faults import Fault, add_fault, apply_faults, clear_faults, pending_faults
from dropship_tools.sandbox.world import PREFIX, SandboxWorld

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

PROVIDERS = ("dipli", "rewix", "dropday", "duoplane")
ORDER = "order"


class SandboxModule(Protocol):
    """What `<provider>/sandbox.py` offers."""

    CREDENTIALS: dict[str, str]

    def build(self, world: SandboxWorld) -> ASGIApp:
        """The provider's API, served from the root of its host."""
        ...

    def operation(self, method: str, path: str) -> str:
        """A short name for a request: create, get, list, …"""
        ...


def sandbox_module(provider: str) -> SandboxModule:
    """The sandbox of a provider, imported on first use. Raises ValueError for an unknown name."""
    _check_name(provider)
    return cast(SandboxModule, importlib.import_module(f"dropship_tools.{provider}.sandbox"))


def in_process_app(world: SandboxWorld, provider: str) -> ASGIApp:
    """One provider with its faults, served from the root; imported and built at the first request."""
    _check_name(provider)
    built: list[ASGIApp] = []

    async def on_first_use(scope: Scope, receive: Receive, send: Send) -> None:
        if not built:
            module = sandbox_module(provider)
            built.append(apply_faults(module.build(world), provider, module.operation, world))
        await built[0](scope, receive, send)

    return on_first_use


def build_service(world: SandboxWorld, providers: Sequence[str] = PROVIDERS) -> ASGIApp:
    """Every provider under /<its name>, and the control plane under /_sandbox."""
    apps = {provider: in_process_app(world, provider) for provider in providers}
    control = _control_plane(world, providers)

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await control(scope, receive, send)
            return
        first, _, rest = cast(str, scope["path"]).removeprefix("/").partition("/")
        app = apps.get(first)
        if app is None:
            await control(scope, receive, send)
            return
        prefix = f"/{first}"
        raw_path = cast(bytes, scope.get("raw_path") or scope["path"].encode())
        # The path is cut rather than moved to root_path: an app must not be able to tell where it is mounted.
        inner = {
            **scope,
            "path": f"/{rest}",
            "raw_path": raw_path[len(prefix) :] or b"/",
            "root_path": "",
            "extensions": {**scope.get("extensions", {}), PREFIX: prefix},
        }
        await app(inner, receive, send)

    return dispatch


def _check_name(provider: str) -> None:
    if provider not in PROVIDERS:
        raise ValueError(f"no sandbox for {provider!r}; there are {', '.join(PROVIDERS)}")


def _control_plane(world: SandboxWorld, providers: Sequence[str]) -> ASGIApp:
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def overview(request: Request) -> Response:
        base = str(request.base_url).rstrip("/")
        served = {
            provider: {
                "url": f"{base}/{provider}",
                "credentials": sandbox_module(provider).CREDENTIALS,
                "orders": world.store.count(provider, ORDER),
            }
            for provider in providers
        }
        return JSONResponse({"sandbox": True, "providers": served, "faults": len(pending_faults(world.store))})

    async def orders(_request: Request) -> Response:
        found = {provider: world.store.all(provider, ORDER) for provider in providers}
        return JSONResponse(
            {
                provider: {"count": len(documents), "references": [document.key for document in documents]}
                for provider, documents in found.items()
            }
        )

    async def list_faults(_request: Request) -> Response:
        return JSONResponse([asdict(fault) for fault in pending_faults(world.store)])

    async def ask_for_fault(request: Request) -> Response:
        try:
            fault = Fault.from_json(await json_body(request))
            if fault.provider not in ("*", *providers):
                raise ValueError(f"provider: one of {', '.join(providers)}, or *")
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        add_fault(world.store, fault)
        return JSONResponse(asdict(fault), status_code=201)

    async def drop_faults(_request: Request) -> Response:
        return JSONResponse({"dropped": clear_faults(world.store)})

    async def reset(_request: Request) -> Response:
        world.store.reset()
        return JSONResponse({"reset": True})

    return Starlette(
        routes=[
            Route("/_sandbox", overview, methods=["GET"]),
            Route("/_sandbox/orders", orders, methods=["GET"]),
            Route("/_sandbox/faults", list_faults, methods=["GET"]),
            Route("/_sandbox/faults", ask_for_fault, methods=["POST"]),
            Route("/_sandbox/faults", drop_faults, methods=["DELETE"]),
            Route("/_sandbox/reset", reset, methods=["POST"]),
        ]
    )


async def serve(
    world: SandboxWorld,
    port: int,
    host: str = "127.0.0.1",
    on_ready: Callable[[int], None] | None = None,
    providers: Sequence[str] = PROVIDERS,
) -> None:
    """Serve the sandbox until SIGINT, SIGTERM or cancellation; `on_ready` gets the port once it listens.

    `port` 0 takes any free one. Raises ValueError for a host that other machines can reach: nothing
    protects the orders but well-known credentials. Raises OSError when the port is taken.
    """
    # uvicorn is needed by people who run `dropship-mcp sandbox`, not by the server that uses it in process.
    from dropship_tools.sandbox import loopback

    await loopback.serve(build_service(world, providers), host, port, on_ready)
