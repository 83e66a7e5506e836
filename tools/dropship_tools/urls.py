"""Which addresses credentials may be sent to."""

from __future__ import annotations

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check_base_url(url: str) -> str:
    """`url` without a trailing slash.

    Raises:
        ValueError: not https (plain http is for loopback only), it carries credentials, a query or a fragment, or
            programs may disagree about the host it names.
    """
    from urllib.parse import urlsplit  # settings are read at every start, and most name no address

    url = url.strip()
    if not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("must not hold blanks, control characters or backslashes")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError:
        raise ValueError("must name a valid host and port") from None
    if parts.scheme not in ("https", "http") or not host:
        raise ValueError("must be a full https:// address")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise ValueError("must start with https:// (plain http only for this machine)")
    if any(mark in url for mark in "@?#"):
        raise ValueError("must be a plain address without credentials, query or fragment")
    return url.rstrip("/")
