"""Settings of `dropship-mcp http`, from the environment and from the configuration file; the environment wins.

    [http]
    host = "127.0.0.1"
    port = 8000
    public_url = "https://orders.example.com/mcp"

    [auth]
    issuer = "https://login.example.com"
    jwks_url = "https://login.example.com/.well-known/jwks.json"

    [auth.tokens.alice]
    sha256 = "…"                 # dropship-mcp token alice
    tenant = "acme"              # where there are tenants
    scopes = ["orders:read", "orders:write"]

Standard library only, like all settings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

from dropship_mcp.near_names import did_you_mean
from dropship_tools.urls import LOOPBACK, check_base_url

HTTP_SETTINGS: dict[str, str] = {
    "DROPSHIP_HTTP_HOST": "address to listen on; default 127.0.0.1, this machine only",
    "DROPSHIP_HTTP_PORT": "port to listen on, default 8000; 0 takes any free one",
    "DROPSHIP_HTTP_PATH": "path of the MCP endpoint, default /mcp",
    "DROPSHIP_HTTP_PUBLIC_URL": "the endpoint's address as clients know it; default http://HOST:PORT/PATH",
    "DROPSHIP_HTTP_HOSTS": "Host headers that are accepted, separated by commas; default those of the addresses above",
    "DROPSHIP_HTTP_ORIGINS": "web pages that may call, separated by commas; default the public address's own",
    "DROPSHIP_HTTP_MAX_BODY": "largest request in bytes, default 1048576",
    "DROPSHIP_HTTP_MAX_CALLS": "requests answered at the same time, default 2000; beyond it is 503",
    "DROPSHIP_HTTP_GRACE": "seconds that calls under way are given when the server stops, default 50",
    "DROPSHIP_HTTP_UNPROTECTED": "yes: serve other machines without authorization; default no",
    "DROPSHIP_AUTH_ISSUER": "issuer of access tokens, exactly as it stands in them",
    "DROPSHIP_AUTH_JWKS_URL": "where the issuer publishes its keys",
    "DROPSHIP_AUTH_AUDIENCE": "audience of access tokens; default the public address",
    "DROPSHIP_AUTH_ALGORITHMS": "signatures that are accepted, separated by commas; default RS256,ES256",
    "DROPSHIP_AUTH_TENANT_CLAIM": "claim of access tokens that names the caller's tenant, default tenant",
    "DROPSHIP_AUTH_TOKENS": "tokens of a small team: NAME SHA256 SCOPE SCOPE, separated by commas",
}

HTTP_TABLES = ("http", "auth")
"""The tables of the configuration file that are read here."""

ALGORITHMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), ("RSA", ())),
    "ES256": ("EC", ("P-256",)),
    "ES384": ("EC", ("P-384",)),
    "ES512": ("EC", ("P-521",)),
    "EdDSA": ("OKP", ("Ed25519",)),
}
"""Signatures that can be accepted, with the type and the curves of their keys. None of them uses a shared secret."""

_NAME = r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}"
_DIGEST = r"[0-9a-f]{64}"
_PATH = r"(/[A-Za-z0-9._~-]+)+"
_HEALTH = ("/healthz", "/readyz", "/metrics")
APPROVALS = "/approvals"
"""Path of the approvals page."""


class StaticToken(NamedTuple):
    """A token known to the settings by its hash.

    Attributes:
        name: who uses it.
        sha256: of the token, in hexadecimal.
        scopes: what it allows.
        tenant: whose accounts it uses; None where there are no tenants.
    """

    name: str
    sha256: str
    scopes: frozenset[str]
    tenant: str | None = None


class AuthSettings(NamedTuple):
    """Whose tokens are accepted. `issuer` and `jwks_url` are both set or both empty.

    Attributes:
        tenant_claim: the claim that says whose accounts a token is for.
        tenants: what it may say, and the tenant that this means; empty where there are no tenants.
    """

    issuer: str = ""
    jwks_url: str = ""
    audience: str = ""
    algorithms: tuple[str, ...] = ("RS256", "ES256")
    tokens: tuple[StaticToken, ...] = ()
    tenant_claim: str = "tenant"
    tenants: Mapping[str, str] = {}

    def misplaced_tokens(self) -> list[str]:
        """What is wrong with the tenants of `tokens`."""
        there = sorted(set(self.tenants.values()))
        fix = f"tenant must be one of: {', '.join(there)}" if there else "a tenant needs its [tenants.NAME]"
        return [f"auth.tokens of {t.name}: {fix}" for t in self.tokens if t.tenant not in (there or [None])]

    @property
    def required(self) -> bool:
        """Whether callers have to say who they are."""
        return bool(self.issuer or self.tokens)


class HttpSettings(NamedTuple):
    """How the server is reached.

    Attributes:
        public_url: given by the operator, or empty.
        hosts: Host headers given by the operator; empty for those of the addresses.
        origins: web origins given by the operator; empty for the public address's own.
        max_body: bytes.
        max_calls: requests answered at the same time.
        grace: seconds.
        unprotected: the operator wants no authorization though other machines can reach the server.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    path: str = "/mcp"
    public_url: str = ""
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    max_body: int = 1_048_576
    max_calls: int = 2000
    grace: int = 50
    unprotected: bool = False
    auth: AuthSettings = AuthSettings()

    def netloc(self, port: int | None = None) -> str:
        """Host and port as they stand in addresses. `port`: the one that was taken, where any would do."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{port or self.port}".lower()

    def url(self, port: int | None = None) -> str:
        """The endpoint's address as clients know it."""
        # nobody can call an unspecified address, so there are `hosts` then
        netloc = self.hosts[0] if self.hosts and _is_unspecified(self.host) else self.netloc(port)
        return self.public_url or f"http://{netloc}{self.path}"

    def approvals_url(self, port: int | None = None) -> str:
        """The approvals page as people know it, beside the endpoint.

        Empty where there is none: nobody has to say who they are, or their tokens would travel in clear.
        """
        from urllib.parse import urlsplit

        public = urlsplit(self.url(port))
        outside = public.path.removesuffix(self.path) if public.path.endswith(self.path) else ""
        safe = public.scheme == "https" or is_loopback(public.hostname or "")
        return f"{public.scheme}://{public.netloc}{outside}{APPROVALS}" if self.auth.required and safe else ""

    def problems(self) -> list[str]:
        """Why a server with these settings must not start."""
        named = [self.url(), *(f"//{host}" for host in self.hosts), *self.origins]
        far = [host for host in (self.host, *map(_hostname, named)) if not is_loopback(host)]
        if far and not self.auth.required and not self.unprotected:
            return [
                f"everybody who reaches {far[0]} could order: set DROPSHIP_AUTH_ISSUER or DROPSHIP_AUTH_TOKENS, "
                "or say --unprotected"
            ]
        if self.auth.tenants and not self.auth.required:
            return ["nobody could say whose tenant they are: set DROPSHIP_AUTH_ISSUER, or tokens"]
        if _is_unspecified(self.host) and not self.public_url and not self.hosts:
            return [f"nobody can call {self.host}: set DROPSHIP_HTTP_PUBLIC_URL or DROPSHIP_HTTP_HOSTS"]
        return []


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host. Names are not looked up."""
    try:
        import ipaddress  # rarely needed, and settings are read at every start

        return host in LOOPBACK or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_unspecified(host: str) -> bool:
    """Whether it stands for all addresses of the machine: 0.0.0.0, ::, 0."""
    return not host.strip("0.:")


def _hostname(address: str) -> str:
    """The host that an address names; all of the address if that cannot be told."""
    from urllib.parse import urlsplit

    try:
        return urlsplit(address).hostname or address
    except ValueError:
        return address


def read_http(env: Mapping[str, str], tables: Mapping[str, Any], problems: list[str]) -> HttpSettings:
    """The settings; adds to `problems`. `tables` is the whole configuration file."""
    http = _Source("http", env, tables, problems)
    auth = _Source("auth", env, tables, problems)
    settings = HttpSettings(
        host=http.text("host") or "127.0.0.1",
        port=http.number("port", 8000, 0, 65_535),
        path=http.text("path") or "/mcp",
        public_url=http.address("public_url"),
        hosts=tuple(host.lower() for host in http.several("hosts")),
        origins=tuple(origin.lower() for origin in http.several("origins")),
        max_body=http.number("max_body", 1_048_576, 1024, 64 * 1_048_576),
        max_calls=http.number("max_calls", 2000, 1, 100_000),
        grace=http.number("grace", 50, 1, 600),
        unprotected=http.choice("unprotected", ("no", "yes")) == "yes",
        auth=AuthSettings(
            issuer=auth.address("issuer", exact=True),
            jwks_url=auth.address("jwks_url"),
            audience=auth.text("audience"),
            algorithms=auth.several("algorithms") or ("RS256", "ES256"),
            tokens=_tokens(auth),
            tenant_claim=auth.text("tenant_claim") or "tenant",
        ),
    )
    http.check_names()
    auth.check_names()
    _check(settings, http, auth)
    return settings


def _check(settings: HttpSettings, http: _Source, auth: _Source) -> None:
    taken = settings.path in _HEALTH or f"{settings.path}/".startswith(("/.well-known", f"{APPROVALS}/"))
    if not re.fullmatch(_PATH, settings.path) or taken:
        http.problem("path", "must be a path of its own like /mcp")
    if wrong := [origin for origin in settings.origins if not re.fullmatch(r"https?://[^/@?#\s*]+", origin)]:
        http.problem("origins", f"must be like https://app.example.com, not {wrong[0]}")
    if wrong := [host for host in settings.hosts if not re.fullmatch(r"[^/@?#\s*]+", host)]:
        http.problem("hosts", f"must be like orders.example.com or localhost:8000, not {wrong[0]}")
    if auth.present("issuer") != auth.present("jwks_url"):
        missing = "jwks_url" if auth.present("issuer") else "issuer"
        auth.problem(missing, "is missing: tokens need issuer and jwks_url")
    if unknown := [name for name in settings.auth.algorithms if name not in ALGORITHMS]:
        auth.problem("algorithms", f"cannot be {', '.join(unknown)}; there are: {', '.join(ALGORITHMS)}")
    tokens = settings.auth.tokens
    for kind, values in (("name", [t.name for t in tokens]), ("sha256", [t.sha256 for t in tokens])):
        if len(set(values)) != len(values):
            auth.problem("tokens", f"hold the same {kind} twice")


class _Source:
    """One table of the file and the variables above it."""

    def __init__(self, table: str, env: Mapping[str, str], tables: Mapping[str, Any], problems: list[str]) -> None:
        values = tables.get(table, {})
        if not isinstance(values, Mapping):
            problems.append(f"{table} must be a table: [{table}]")
            values = {}
        self.table = table
        self.values = cast("Mapping[str, Any]", values)
        self._env = env
        self._problems = problems

    def variable(self, key: str) -> str:
        """The name of the variable for a key."""
        return f"DROPSHIP_{self.table}_{key}".upper()

    def problem(self, key: str, what: str) -> None:
        """Say what is wrong, naming the place where the value stands."""
        place = f"{self.table}.{key}" if key in self.values and not self.given(key) else self.variable(key)
        self._problems.append(f"{place} {what}")

    def given(self, key: str) -> str:
        """The variable; empty if it is not set."""
        return self._env.get(self.variable(key), "").strip()

    def present(self, key: str) -> bool:
        """Whether there is a value, good or not."""
        return bool(self.given(key) or self.values.get(key))

    def text(self, key: str) -> str:
        """A single value as text; empty if it is not set."""
        value = self.given(key) or self.values.get(key, "")
        if not isinstance(value, str | int) or isinstance(value, bool):
            self.problem(key, "must be text")
            return ""
        return str(value).strip()

    def several(self, key: str) -> tuple[str, ...]:
        """A list in the file, commas in the variable."""
        value: Any = self.given(key).split(",") if self.given(key) else self.values.get(key, [])
        items = cast("list[object]", value) if isinstance(value, list) else [None]
        if not all(isinstance(item, str) for item in items):
            self.problem(key, "must be a list of texts")
            return ()
        return tuple(text for item in items if (text := str(item).strip()))

    def number(self, key: str, default: int, least: int, most: int) -> int:
        """A whole number within limits."""
        text = self.text(key) or str(default)
        if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
            self.problem(key, f"must be a whole number from {least} to {most}")
            return default
        return int(text)

    def choice(self, key: str, choices: tuple[str, ...]) -> str:
        """One of `choices`, by default the first."""
        text = self.text(key).lower() or choices[0]
        if text not in choices:
            self.problem(key, f"must be one of: {', '.join(choices)}")
        return text

    def address(self, key: str, *, exact: bool = False) -> str:
        """An https address, or http of this machine. `exact`: with the slash at its end, if it has one."""
        text = self.text(key)
        if not text:
            return ""
        try:
            plain = check_base_url(text)
        except ValueError as error:
            self.problem(key, str(error))
            return ""
        return text if exact else plain

    def check_names(self) -> None:
        """A misspelt key must not be a missing one."""
        prefix = self.variable("")
        known = [name.removeprefix(prefix).lower() for name in HTTP_SETTINGS if name.startswith(prefix)]
        for key in self.values:
            if key not in known:
                self._problems.append(f"{self.table}.{key} is not known{did_you_mean(key, known)}")


def _tokens(auth: _Source) -> tuple[StaticToken, ...]:
    """Those of the variable instead of those of the file, like every other value."""
    if listed := auth.given("tokens"):
        entries = [entry.split() for entry in listed.split(",") if entry.strip()]
        found = [(words[0], words[1] if len(words) > 1 else "", words[2:], None) for words in entries]
        return tuple(_token(*values, lambda what: auth.problem("tokens", what)) for values in found)
    tables = auth.values.get("tokens", {})
    if not isinstance(tables, Mapping):
        auth.problem("tokens", "must be tables: [auth.tokens.NAME]")
        return ()
    tokens: list[StaticToken] = []
    for name, table in cast("Mapping[str, Any]", tables).items():
        values: Mapping[str, Any] = cast("Mapping[str, Any]", table) if isinstance(table, Mapping) else {}
        scopes: Any = values.get("scopes")
        tenant: Any = values.get("tenant")
        if set(values) - {"tenant"} != {"sha256", "scopes"} or not isinstance(scopes, list):
            auth.problem("tokens", f"of {name} must be a table with sha256 and scopes")
            continue
        words = [str(scope) for scope in cast("list[object]", scopes)]
        named = None if tenant is None else str(tenant)
        tokens.append(_token(name, str(values["sha256"]), words, named, lambda what: auth.problem("tokens", what)))
    return tuple(tokens)


def _token(
    name: str, sha256: str, scopes: list[str], tenant: str | None, problem: Callable[[str], None]
) -> StaticToken:
    from dropship_mcp.caller import SCOPES  # few settings have tokens

    if not re.fullmatch(_NAME, name):
        problem("need a name of letters, digits and . _ @ -, at most 64")
    elif not re.fullmatch(_DIGEST, sha256.lower()):
        problem(f"of {name} must have a SHA-256 of 64 hexadecimal digits; `dropship-mcp token {name}` makes one")
    elif not scopes or not set(scopes) <= set(SCOPES):
        problem(f"of {name} must have scopes out of: {', '.join(SCOPES)}")
    return StaticToken(name, sha256.lower(), frozenset(scopes), tenant)
