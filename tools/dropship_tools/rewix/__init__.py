"""Rewix: the shop platform behind BrandsDistribution, Griffati and others. Each supplier has its own host."""

from dropship_tools.provider import Credential, Provider

REWIX = Provider(
    name="rewix",
    title="Rewix",
    package=__name__,
    base_url="",
    url_env="REWIX_URL",
    credentials=(
        Credential("api_key", "REWIX_API_KEY", "the supplier's shop, subscription page", sandbox="sandbox-key"),
        Credential(
            "password", "REWIX_PASSWORD", "the password of the supplier's shop login", sandbox="sandbox-password"
        ),
        Credential(
            "format",
            "REWIX_FORMAT",
            "json or xml, whichever the supplier's host speaks",
            secret=False,
            required=False,
            choices=("json", "xml"),
            default="json",
        ),
    ),
    routes=(
        "/restful/ghost/orders/0/dropshipping",
        "/restful/ghost/orders/sold/",
        "/restful/ghost/orders/dropshipping/locked/",
        "/restful/ghost/clientorders/clientkey/{key}",
        "/restful/ghost/clientorders/serverkey/{order_id}",
        "/restful/export/carriers",
        "/restful/export/api/products.json",
        "/restful/export/api/products.xml",
    ),
)
