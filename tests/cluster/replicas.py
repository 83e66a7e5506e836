"""Four servers behind nginx that share a PostgreSQL ledger and, in live mode, one provider world: all real processes."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx2

from dropship_mcp.ledger import Ledger, make_ledger
from dropship_mcp.web.tokens import new_token
from dropship_tools import PROVIDERS
from dropship_tools.sandbox.store import SandboxStore
from e2e.ports import free_port
from e2e.processes import COMMAND, DEADLINE, environment
from postgres.clusters import KEY, Cluster, new_cluster
from protocol.samples import SAMPLES
from web.nginx import certificate, nginx

REPLICAS = 4


class Replica:
    """One `dropship-mcp http`, which keeps its port when it is started again."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._folder = folder
        self._env = env
        self._port = free_port()
        self.address = f"127.0.0.1:{self._port}"
        self.log = folder / f"{self._port}.log"
        self.process = self._start()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.communicate(timeout=DEADLINE)

    def restart(self) -> None:
        """As a supervisor does."""
        self.process = self._start()
        self.wait()

    def wait(self) -> None:
        """Until it listens."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line.startswith("MCP endpoint: "), self.log.read_text()

    def _start(self) -> subprocess.Popen[str]:
        with self.log.open("a") as log:
            command = [COMMAND, "http", "--port", str(self._port)]
            return subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env=self._env, cwd=self._folder
            )


@dataclass
class Site:
    """What an operator runs.

    Attributes:
        url: the endpoint behind nginx.
        store: what the providers have.
    """

    url: str
    token: str
    trust: ssl.SSLContext
    replicas: list[Replica]
    database: Cluster
    store: SandboxStore

    def http(self) -> httpx2.AsyncClient:
        """A client with a token."""
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx2.AsyncClient(verify=self.trust, headers=headers, timeout=60)

    def ledger(self) -> Ledger:
        """The ledger that the replicas share."""
        return make_ledger(self.database.place())

    def ordered(self) -> list[tuple[str, str]]:
        """Provider and reference of every order that the providers have."""
        return [(provider, order.key) for provider in SAMPLES for order in self.store.all(provider, "order")]


@contextmanager
def running_site(folder: Path, **settings: str) -> Generator[Site]:
    """All of it, on free ports."""
    with ExitStack() as stack:
        database = stack.enter_context(new_cluster())
        trust, port = certificate(folder), free_port()
        token, sha256 = new_token()
        url = f"https://127.0.0.1:{port}/mcp"
        env = environment(
            folder,
            **live(stack.enter_context(sandbox_service(folder))),
            DROPSHIP_ORDERS="allow",
            DROPSHIP_LEDGER=database.url(),
            DROPSHIP_LEDGER_KEY=KEY,
            DROPSHIP_HTTP_PUBLIC_URL=url,
            DROPSHIP_AUTH_TOKENS=f"load {sha256} orders:read orders:write",
            **settings,
        )
        replicas = [Replica(folder, env) for _ in range(REPLICAS)]
        for replica in replicas:
            stack.callback(replica.kill)
        for replica in replicas:
            replica.wait()
        stack.enter_context(nginx(folder, port, *(replica.address for replica in replicas)))
        yield Site(url, token, trust, replicas, database, SandboxStore(folder / "sandbox.sqlite3"))


@contextmanager
def sandbox_service(folder: Path) -> Generator[int]:
    """`dropship-mcp sandbox`; its port."""
    env = environment(folder, DROPSHIP_SANDBOX=str(folder / "sandbox.sqlite3"))
    command = [COMMAND, "sandbox", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env, cwd=folder, text=True) as process:
        try:
            assert process.stdout
            said = re.match(r"Sandbox on http://127\.0\.0\.1:(\d+) ", process.stdout.readline())
            assert said
            yield int(said[1])
        finally:
            process.kill()


def live(port: int) -> dict[str, str]:
    """The environment that leads every provider's account to the sandbox's service."""
    env = {"DROPSHIP_MODE": "live"}
    for provider in PROVIDERS:
        account = provider.sandbox_account()
        env[provider.url_env] = f"http://127.0.0.1:{port}/{provider.name}"
        env |= {c.env: account.value(c.name) for c in provider.credentials if account.value(c.name)}
    return env


def arguments(provider: str, reference: str) -> dict[str, Any]:
    """A small order of a buyer of its own."""
    sample = SAMPLES[provider]
    order = sample.arguments(**{sample.reference: reference})
    buyer = f"Buyer {reference}"
    if provider == "dipli":
        order["buyer"] = buyer
    elif provider == "rewix":
        order["recipient_details"]["recipient"] = buyer
        order["item_list"] = [{"stock_id": 148148, "quantity": 1}]
    else:
        order["shipping_address"]["first_name"] = buyer
    return order


def result_of(response: httpx2.Response) -> dict[str, Any]:
    """The result of a call, whether it came as JSON or as a stream; empty for anything else."""
    text = response.text
    if "text/event-stream" in response.headers.get("content-type", ""):
        text = [line[5:] for line in text.splitlines() if line.startswith("data:")][-1]
    if response.status_code != 200:
        return {}
    return cast("dict[str, Any]", json.loads(text).get("result", {}))
