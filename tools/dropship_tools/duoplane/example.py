"""A blanket for a buyer in Oregon."""

from dropship_tools.example import Example

EXAMPLE = Example(
    reference_field="external_id",
    order={
        "shipping_address": {
            "first_name": "Riley",
            "last_name": "Sample",
            "address_1": "400 Example Ave",
            "city": "Portland",
            "post_code": "97201",
            "province_code": "OR",
            "country_iso2": "US",
            "phone": "503 555 0100",
        },
        "order_items": [
            {"retailer_sku": "HP-BLANKET", "name": "Wool blanket", "quantity": 1, "price": 89.00},
        ],
    },
    mistake={"order_items": [{"sku": "HP-BLANKET", "quantity": "one", "vendor_sku": "ELM-1"}]},
    mistake_in_words="names of other APIs, a word for a number",
)
