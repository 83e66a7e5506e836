"""Duoplane: splits a retailer's orders into purchase orders for its vendors."""

from dropship_tools.provider import Credential, Provider

DUOPLANE = Provider(
    name="duoplane",
    title="Duoplane",
    package=__name__,
    base_url="https://app.duoplane.com",
    url_env="DUOPLANE_URL",
    credentials=(
        Credential(
            "api_key",
            "DUOPLANE_API_KEY",
            "Duoplane, Settings > Staff Members > Manage API users",
            sandbox="sandbox-key",
        ),
        Credential("password", "DUOPLANE_PASSWORD", "shown once when the API user is made", sandbox="sandbox-password"),
        Credential(
            "store_id",
            "DUOPLANE_STORE_ID",
            "numeric id of the store orders belong to, used when a call names none",
            secret=False,
            required=False,
            sandbox="3101",
        ),
    ),
    routes=(
        "/api/orders",
        "/api/orders/{order_id}",
        "/api/products",
        "/api/products/{product_id}",
        "/products.json",
        "/purchase_orders.json",
        "/shipments.json",
    ),
)
