"""The real program with two tenants: over HTTP by their tokens, on stdin and stdout and in commands by their names."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from e2e.processes import COMMAND, DEADLINE, environment, started
from protocol.samples import REFERENCE, SAMPLES
from web.houses import bearer, settings_file
from web.webprocess import web_process

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(90)]

ASK = "[tenants.acme]\norders = 'ask'\n[tenants.globex]\n"


def orders(folder: Path, tenant: str, settings: dict[str, str]) -> list[dict[str, Any]]:
    """What `dropship-mcp orders` says."""
    command = [COMMAND, "orders", "--tenant", tenant, "--json"]
    done = subprocess.run(
        command, env=environment(folder, **settings), capture_output=True, timeout=DEADLINE, check=True
    )
    return json.loads(done.stdout)


async def test_each_tenant_meets_its_own_orders_however_it_comes(tmp_path: Path) -> None:
    settings, sample = settings_file(tmp_path, ASK), SAMPLES["dipli"]
    with web_process(tmp_path, **settings) as server:
        said: list[str] = []
        for name in ("globex-agent", "acme-agent"):
            headers = {"authorization": f"Bearer {bearer(name)}"}
            async with (
                httpx2.AsyncClient(headers=headers) as http,
                Client(streamable_http_client(server.url, http_client=http), cache=None) as client,
            ):
                said.append(str((await client.call_tool(sample.create, sample.order)).content))
        assert server.process.stdout
        page = server.process.stdout.readline()
        staff = {"authorization": f"Bearer {bearer('acme-staff')}"}
        async with httpx2.AsyncClient(headers=staff) as http:
            shown = await http.get(f"{server.base}/approvals")
            ready = await http.get(f"{server.base}/readyz")

    with started(tmp_path, "auto", (COMMAND, "serve", "--tenant", "globex"), None, **settings) as pipe:
        pipe.send(pipe.call(sample.create, sample.order))
        again = pipe.answer()

    assert page == f"Approvals: {server.base}/approvals\n"
    assert '"outcome":"placed"' in said[0]
    assert f"open {server.base}/approvals/1." in said[1]
    assert REFERENCE in shown.text
    assert ready.json() == {"ready": True, "ledger": True}
    assert again["outcome"] == "already_placed"
    assert [[row["reference"] for row in orders(tmp_path, name, settings)] for name in ("acme", "globex")] == [
        [],
        [REFERENCE],
    ]
    assert not (tmp_path / "ledger.sqlite3").exists()


@pytest.mark.parametrize("command", [[COMMAND], [COMMAND, "serve"]])
def test_stdio_does_not_start_for_nobody_in_particular(tmp_path: Path, command: list[str]) -> None:
    env = environment(tmp_path, **settings_file(tmp_path))
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE, text=True)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "dropship-mcp: say whose accounts are meant, with --tenant or DROPSHIP_TENANT; there are: acme, globex\n"
    )
