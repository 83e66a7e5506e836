"""A webshop order with one line that a rule can match."""

from dropship_tools.example import Example

EXAMPLE = Example(
    reference_field="external_id",
    order={
        "source": "Example Shop",
        "total": 54.90,
        "shipping": {"name": "PostNL", "cost": 4.90},
        "email": "sanne@example.com",
        "shipping_address": {
            "first_name": "Sanne",
            "last_name": "Voorbeeld",
            "address1": "Voorbeeldstraat 7",
            "postcode": "3511 AB",
            "city": "Utrecht",
            "country": "NL",
        },
        "products": [
            {
                "external_id": "line-1",
                "name": "Desk lamp Fjord, oak",
                "reference": "NL-DESK-01",
                "ean13": "8712345000018",
                "quantity": 2,
                "price": 25.00,
            }
        ],
    },
    mistake={"total": 79.90, "email": "other@example.com"},
    mistake_in_words="the same number for another order",
    mistake_is_same_order=True,
)
