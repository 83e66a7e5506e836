"""Dropday: routes webshop orders to the shop's own suppliers by rules."""

from dropship_tools.provider import Credential, Provider

DROPDAY = Provider(
    name="dropday",
    title="Dropday",
    package=__name__,
    base_url="https://dropday.io",
    url_env="DROPDAY_URL",
    credentials=(
        Credential("api_key", "DROPDAY_API_KEY", "Dropday dashboard, account settings", sandbox="sandbox-key"),
        Credential(
            "account_id", "DROPDAY_ACCOUNT_ID", "Dropday dashboard, account settings", secret=False, sandbox="1001"
        ),
    ),
    routes=(
        "/api/v1/orders",
        "/api/v1/orders/{reference}",
        "/api/v1/products",
    ),
)
