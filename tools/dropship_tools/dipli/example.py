"""A refurbished phone for a buyer in Lyon."""

from dropship_tools.example import Example

EXAMPLE = Example(
    reference_field="alternative_id",
    order={
        "product_id": 11700103,
        "buyer": "Camille Moreau",
        "street": "12 rue des Exemples",
        "additional_street": "bâtiment B",
        "postcode": "69003",
        "city": "Lyon",
        "country": "FR",
        "buyer_phone": "+33 4 12 34 56 78",
        "buyer_email": "camille@example.com",
    },
    mistake={"product_id": "O3_MGJE3ZD/A", "quantity": 2},
    mistake_in_words="a SKU for product_id, and a quantity",
)
