"""The example configuration for nginx, run by the real nginx (Debian's package `nginx`) before any number of servers."""

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
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from e2e.processes import DEADLINE
from web.sites import ec_key

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


def configuration(folder: Path, front: int, *back: str) -> Path:
    """The example with this test's ports and files, inside what surrounds it on a real machine."""
    example = EXAMPLE.read_text()
    for documented, ours in (
        ("listen 443 ssl", f"listen 127.0.0.1:{front} ssl"),
        ("server 127.0.0.1:8000", "; ".join(f"server {address}" for address in back)),
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


@contextmanager
def nginx(folder: Path, port: int, *back: str) -> Generator[None]:
    """nginx on `port` before servers at these addresses; its certificate is in `folder`."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    assert program, "nginx is needed: apt-get install nginx"
    path = configuration(folder, port, *back)
    command = [program, "-p", str(folder), "-c", str(path), "-e", "stderr", "-g", "daemon off;"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until nginx listens."""
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        assert process.poll() is None, "nginx does not take the configuration"
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("nginx does not listen")
