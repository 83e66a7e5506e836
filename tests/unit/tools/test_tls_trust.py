"""Whom look-ups and orders trust: the same authorities, and nobody else."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from dropship_tools.errors import ProviderUnavailable
from dropship_tools.http import Timing
from unit.tools.http_fakes import LOOK, ORDER, permission
from unit.tools.loopback import OK, provider, request_head

pytestmark = pytest.mark.anyio

ONE_ATTEMPT = Timing(attempts=1)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate of this machine, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "provider")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "provider.pem"
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def shown(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """What the provider shows. The client makes up its mind anew whom it trusts."""
    monkeypatch.setattr("dropship_tools.http._tls", [])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One answer."""
    await request_head(reader)
    writer.write(OK)
    await writer.drain()


async def test_a_provider_whose_certificate_nobody_vouches_for_is_not_spoken_to(shown: ssl.SSLContext) -> None:
    once = permission()

    async with provider(serve, "https", ONE_ATTEMPT, shown) as http:
        with pytest.raises(ProviderUnavailable, match="the connection could not be made"):
            await http.read(LOOK)
        with pytest.raises(ProviderUnavailable, match="the connection could not be made"):
            await http.send_order(ORDER, once)

    assert once.nothing_left


async def test_an_authority_that_the_operator_names_is_trusted(
    shown: ssl.SSLContext, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    async with provider(serve, "https", ONE_ATTEMPT, shown) as http:
        assert (await http.read(LOOK)).body == b"{}"
        assert (await http.send_order(ORDER, permission())).body == b"{}"
