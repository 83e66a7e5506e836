"""What helps a model beside the tools: a guide for each provider, two prompts, and completions for their arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from dropship_mcp.accounts import Accounts
from dropship_tools.countries import country_codes
from dropship_tools.errors import DropshipError
from dropship_tools.text import clean
from dropship_tools.tool import NamesCarriers

Context = ServerRequestContext[Any, Any]

SCHEME = "dropship://guides/"
GUIDE = f"{SCHEME}{{provider}}"
MARKDOWN = "text/markdown"
SHOWN_COMPLETIONS = 100


@dataclass(frozen=True)
class PromptText:
    """One prompt: its arguments (name, description, required) and the text made of them."""

    title: str
    description: str
    arguments: tuple[tuple[str, str, bool], ...]
    text: Callable[[Mapping[str, str]], str]


def _place_order(given: Mapping[str, str]) -> str:
    country = f" The buyer is in {given['country']}." if given.get("country") else ""
    carrier = f" Wished carrier: {given['carrier']}." if given.get("carrier") else ""
    return (
        f"Place one dropship order with {given['provider']}, reference {given['reference']}.{country}{carrier}\n"
        f"1. Read the resource {SCHEME}{given['provider']}.\n"
        "2. Ask me for whatever the create tool requires and I have not said. Make nothing up, the reference least.\n"
        "3. Call the create tool with dry_run true and show me recipient, items and total. Wait for my yes.\n"
        "4. Call it once without dry_run. If the answer is an error, follow its fix line; never change the reference.\n"
        "5. Tell me the outcome, the order id, what is still to be paid or confirmed, and every warning."
    )


def _where_is_my_order(given: Mapping[str, str]) -> str:
    where = f" It was ordered with {given['provider']}." if given.get("provider") else ""
    return (
        f"Where is the order {given['reference']}?{where}\n"
        "1. Call dropship_find_order with the reference.\n"
        "2. Where it was found, call that provider's get tool for status and tracking.\n"
        "3. Tell me the status in plain words, beside the provider's own word, with the time of the fact. An absence "
        "counts only where conclusive is true. If an outcome is unknown, call dropship_settle_order; order nothing."
    )


PROMPTS: Mapping[str, PromptText] = {
    "place_order": PromptText(
        "Place an order",
        "Place one order carefully: read the guide, show a dry run, order once.",
        (
            ("provider", "which provider", True),
            ("reference", "the shop's own order number", True),
            ("country", "the buyer's country, ISO 3166-1 alpha-2", False),
            ("carrier", "a carrier you would like", False),
        ),
        _place_order,
    ),
    "where_is_my_order": PromptText(
        "Where is my order?",
        "Find an order at every provider and say where it stands.",
        (("reference", "the shop's own order number", True), ("provider", "which provider, if known", False)),
        _where_is_my_order,
    ),
}


class Guidance:
    """Answers `resources/*`, `prompts/*` and `completion/complete`."""

    def __init__(self, accounts: Accounts, *, ordering: bool = True) -> None:
        self._accounts = accounts
        self._prompts = {name: text for name, text in PROMPTS.items() if ordering or name != "place_order"}
        self._known_carriers: dict[str, list[str]] = {}
        self._guides = {f"{SCHEME}{p.name}": p for p in accounts.providers()}

    async def list_resources(self, _: Context, __: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
        """One guide for each provider that has an account."""
        return types.ListResourcesResult(
            resources=[
                types.Resource(uri=uri, name=f"{p.name}-guide", title=f"Ordering with {p.title}", mime_type=MARKDOWN)
                for uri, p in self._guides.items()
            ]
        )

    async def list_templates(
        self, _: Context, __: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        """How the guides' addresses are made."""
        guide = types.ResourceTemplate(
            uri_template=GUIDE, name="provider-guide", title="Ordering with a provider", mime_type=MARKDOWN
        )
        return types.ListResourceTemplatesResult(resource_templates=[guide] if self._guides else [])

    async def read_resource(self, _: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        """The text of a guide."""
        uri = str(params.uri)
        if uri not in self._guides:
            there_are = f"No such resource; there are: {', '.join(self._guides) or 'none'}"
            raise MCPError(types.INVALID_PARAMS, there_are, {"uri": uri})
        text = self._guides[uri].guide()
        return types.ReadResourceResult(contents=[types.TextResourceContents(uri=uri, mime_type=MARKDOWN, text=text)])

    async def list_prompts(self, _: Context, __: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
        """The prompts a person can pick in a host."""
        return types.ListPromptsResult(
            prompts=[
                types.Prompt(
                    name=name,
                    title=prompt.title,
                    description=prompt.description,
                    arguments=[
                        types.PromptArgument(name=argument, description=about, required=required)
                        for argument, about, required in prompt.arguments
                    ],
                )
                for name, prompt in self._prompts.items()
            ]
        )

    async def get_prompt(self, _: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        """A prompt with its arguments filled in."""
        prompt = self._prompts.get(params.name)
        if prompt is None:
            raise MCPError(types.INVALID_PARAMS, f"No such prompt; there are: {', '.join(self._prompts)}")
        given = {name: clean(value, 100) for name, value in (params.arguments or {}).items()}
        if missing := [name for name, _, required in prompt.arguments if required and not given.get(name)]:
            raise MCPError(types.INVALID_PARAMS, f"Missing arguments: {', '.join(missing)}")
        known = [p.name for p in self._accounts.providers()]
        if given.get("provider") and given["provider"] not in known:
            raise MCPError(types.INVALID_PARAMS, f"No such provider; there are: {', '.join(known) or 'none'}")
        if given.get("country"):
            given["country"] = given["country"].upper()
            if given["country"] not in country_codes():
                raise MCPError(types.INVALID_PARAMS, "No such country; give its ISO 3166-1 alpha-2 code, like FR")
        content = types.TextContent(type="text", text=prompt.text(given))
        return types.GetPromptResult(
            description=prompt.description, messages=[types.PromptMessage(role="user", content=content)]
        )

    async def complete(self, _: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        """Values that begin like what was typed; countries also by their names."""
        typed = params.argument.value.lower()
        values: list[str] = []
        if _has_arguments(params.ref):
            chosen = (params.context.arguments if params.context else None) or {}
            known = await self._values(params.argument.name, chosen.get("provider", ""))
            values = [value for value in known if value.lower().startswith(typed)]
            if params.argument.name == "country":
                values += [code for name, code in _country_names() if name.startswith(typed) and code not in values]
        shown = values[:SHOWN_COMPLETIONS]
        return types.CompleteResult(
            completion=types.Completion(values=shown, total=len(values), has_more=len(values) > len(shown))
        )

    async def _values(self, argument: str, provider: str) -> list[str]:
        if argument == "provider":
            return [p.name for p in self._accounts.providers()]
        if argument == "country":
            return sorted(country_codes())
        if argument == "carrier":
            return await self._carriers(provider)
        return []

    async def _carriers(self, provider: str) -> list[str]:
        """Asked once a process: a completion is wanted at every key stroke, and carriers change rarely."""
        if provider not in self._known_carriers:
            names: set[str] = set()
            for connection in self._accounts.connections():
                if provider in ("", connection.provider.name) and isinstance(connection.client, NamesCarriers):
                    try:
                        names.update(await connection.client.carrier_names())
                    except DropshipError:
                        return sorted(names)  # not remembered: the next key stroke asks again
            self._known_carriers[provider] = sorted(names)
        return self._known_carriers[provider]


def _has_arguments(ref: types.PromptReference | types.ResourceTemplateReference) -> bool:
    return ref.name in PROMPTS if isinstance(ref, types.PromptReference) else ref.uri == GUIDE


def _country_names() -> list[tuple[str, str]]:
    """Countries' English names in small letters, and their codes, by name."""
    import iso3166

    return sorted((country.apolitical_name.lower(), country.alpha2) for country in iso3166.countries)
