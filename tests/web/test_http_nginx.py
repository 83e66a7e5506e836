"""The example configuration for nginx with the real nginx (Debian's package `nginx`): TLS ends there, answers and
challenges pass unchanged, and nothing is ever sent to the server twice."""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.to_thread
import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from dropship_mcp.web.tokens import new_token
from dropship_tools.sandbox.faults import Fault, add_fault, pending_faults
from dropship_tools.sandbox.store import SandboxStore
from e2e.processes import DEADLINE
from protocol.bench import Era
from protocol.samples import REFERENCE, SAMPLES, Sample
from web.sites import REQUESTS, ec_key
from web.webprocess import WebProcess, web_process

pytestmark = [pytest.mark.anyio, pytest.mark.nginx, pytest.mark.timeout(90)]

EXAMPLE = Path(__file__).parents[2] / "server" / "nginx.conf.example"


def certificate(folder: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 in `folder`, and what trusts it alone."""
    key, name = ec_key(), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + datetime.timedelta(hours=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "key.pem").write_bytes(pem)
    return ssl.create_default_context(cafile=folder / "cert.pem")


def configuration(folder: Path, front: int, back: str) -> Path:
    """The example with this test's ports and files, inside what surrounds it on a real machine."""
    example = EXAMPLE.read_text()
    for documented, ours in (
        ("listen 443 ssl", f"listen 127.0.0.1:{front} ssl"),
        ("server 127.0.0.1:8000", f"server {back}"),
        ("server_name orders.example.com", "server_name 127.0.0.1"),
        ("/etc/ssl/orders.example.com.pem", f"{folder}/cert.pem"),
        ("/etc/ssl/orders.example.com.key", f"{folder}/key.pem"),
    ):
        assert example.count(f"{documented};") == 1, documented
        example = example.replace(f"{documented};", f"{ours};")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""  # its workers must reach the test's folder
    path = folder / "nginx.conf"
    path.write_text(f"{user} pid {folder}/pid; events {{}} http {{ access_log off;\n{paths}\n{example} }}")
    return path


@dataclass
class Front:
    """nginx with the server behind it."""

    url: str
    trust: ssl.SSLContext
    token: str
    server: WebProcess
    store: SandboxStore

    def http(self, *, token: bool = True) -> httpx2.AsyncClient:
        """A client that trusts the test's certificate and nothing else."""
        headers = {"authorization": f"Bearer {self.token}"} if token else {}
        return httpx2.AsyncClient(verify=self.trust, headers=headers, timeout=30)


@contextmanager
def front(folder: Path) -> Generator[Front]:
    """The server and nginx before it, both as real processes."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    assert nginx, "nginx is needed: apt-get install nginx"
    trust = certificate(folder)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"https://127.0.0.1:{port}/mcp"
    token, sha256 = new_token()
    settings = {
        "DROPSHIP_HTTP_PUBLIC_URL": url,
        "DROPSHIP_AUTH_ISSUER": "https://login.example.com",
        "DROPSHIP_AUTH_JWKS_URL": "https://login.example.com/jwks.json",
        "DROPSHIP_AUTH_TOKENS": f"alice {sha256} orders:read orders:write",
        "DROPSHIP_LEDGER": str(folder / "ledger.sqlite3"),
        "DROPSHIP_SANDBOX": str(folder / "sandbox.sqlite3"),
    }
    with web_process(folder, **settings) as server:
        path = configuration(folder, port, server.address)
        command = [nginx, "-p", str(folder), "-c", str(path), "-e", "stderr", "-g", "daemon off;"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for(port, process)
                yield Front(url, trust, token, server, SandboxStore(folder / "sandbox.sqlite3"))
            finally:
                process.terminate()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until nginx listens."""
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        assert process.poll() is None, "nginx does not take the configuration"
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("nginx does not listen")


async def test_orders_pass_through_nginx(tmp_path: Path, era: Era, sample: Sample) -> None:
    with front(tmp_path) as proxied:
        async with (
            proxied.http() as http,
            Client(streamable_http_client(proxied.url, http_client=http), mode=era, cache=None) as client,
        ):
            first = await client.call_tool(sample.create, sample.order)
            again = await client.call_tool(sample.create, sample.order)

    outcomes = [cast("dict[str, Any]", result.structured_content)["outcome"] for result in (first, again)]
    assert outcomes == ["placed", "already_placed"]


async def test_challenges_and_metadata_name_the_public_address(tmp_path: Path, era: Era) -> None:
    with front(tmp_path) as proxied:
        async with proxied.http(token=False) as http:
            challenge = await http.post(proxied.url, **REQUESTS[era]("tools/list"))
            where = challenge.headers["www-authenticate"].split('resource_metadata="')[1].rstrip('"')
            metadata = await http.get(where)
            inside = await http.get(proxied.url.replace("/mcp", "/readyz"))
            too_large = await http.post(proxied.url, content=b" " * 1_100_000)

    assert challenge.status_code == 401
    assert where == proxied.url.replace("/mcp", "/.well-known/oauth-protected-resource/mcp")
    assert metadata.json()["resource"] == proxied.url
    assert inside.status_code == 404
    assert too_large.status_code == 413


async def test_an_order_whose_server_dies_is_not_sent_again_by_nginx(tmp_path: Path) -> None:
    sample = SAMPLES["dropday"]
    with front(tmp_path) as proxied:
        add_fault(proxied.store, Fault(sample.provider, "create", "latency", 1, 20))
        call = REQUESTS["auto"]("tools/call", {"name": sample.create, "arguments": sample.order})
        statuses: list[int] = []
        async with proxied.http() as http, anyio.create_task_group() as tasks:

            async def place() -> None:
                statuses.append((await http.post(proxied.url, **call)).status_code)

            def wait_until_under_way() -> None:
                until = time.monotonic() + DEADLINE
                while pending_faults(proxied.store):
                    assert time.monotonic() < until
                    time.sleep(0.02)

            tasks.start_soon(place)
            await anyio.to_thread.run_sync(wait_until_under_way)
            proxied.server.process.kill()

    assert statuses == [502]
    assert len(proxied.store.find(sample.provider, "order", REFERENCE)) <= 1
