"""Dipli: refurbished phones and computers, France. One product per order."""

from dropship_tools.provider import Credential, Provider

DIPLI = Provider(
    name="dipli",
    title="Dipli",
    package=__name__,
    base_url="https://bi.agora.place",
    url_env="DIPLI_URL",
    credentials=(
        Credential("api_key", "DIPLI_API_KEY", "issued by Dipli to dropship partners", sandbox="sandbox-key"),
    ),
    routes=(
        "/api-drop/v2/orders",
        "/api-drop/v2/orders/{public_id}",
    ),
)
