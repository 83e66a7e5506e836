"""Which addresses credentials may be sent to."""

from __future__ import annotations

import pytest

from dropship_tools.http import ProviderHttp
from dropship_tools.urls import check_base_url


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://dropday.io", "https://dropday.io"),
        (" https://dropday.io/ ", "https://dropday.io"),
        ("https://shop.example:8443/prefix/", "https://shop.example:8443/prefix"),
        ("HTTPS://Shop.Example", "HTTPS://Shop.Example"),
        ("https://192.0.2.1", "https://192.0.2.1"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://b\u00fccher.example", "https://b\u00fccher.example"),
        ("https://my_shop.example", "https://my_shop.example"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:8080/dropday", "http://127.0.0.1:8080/dropday"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_https_addresses_and_this_machine_are_accepted(given: str, kept: str) -> None:
    assert check_base_url(given) == kept
    assert ProviderHttp("Shop", given, {}).base_url == kept


@pytest.mark.parametrize(
    "url",
    [
        "",
        "dropday.io",
        "//dropday.io",
        "ftp://dropday.io",
        "javascript:alert(1)",
        "https://",
        "https:///orders",
        "http://dropday.io",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://127.0.0.2",
        "https://user@dropday.io",
        "https://user:password@dropday.io",
        "https://@dropday.io",
        "https://:@dropday.io",
        "https://dropday.io\\@evil.example",
        "https://dropday.io\\.evil.example",
        "https://dropday.io?key=1",
        "https://dropday.io/?",
        "https://dropday.io/#",
        "https://dropday.io#fragment",
        "https://drop\nday.io",
        "https://drop\tday.io",
        "https://drop day.io",
        "https://dropday.io/\x00",
        "https://dropday.io:port",
        "https://dropday.io:99999",
        "https://[::1",
        "https://a..example",
        f"https://{'a' * 64}.example",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must"):
        check_base_url(url)
