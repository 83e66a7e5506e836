"""Two pieces of fashion for a buyer in Torino."""

from dropship_tools.example import Example

EXAMPLE = Example(
    reference_field="key",
    order={
        "recipient_details": {
            "recipient": "Giulia Esempio",
            "address": {
                "street_type": "Via",
                "street_name": "Roma",
                "address_number": "1",
                "zip": "10100",
                "city": "Torino",
                "province": "TO",
                "countrycode": "IT",
            },
            "phone": {"prefix": "+39", "number": "0110000000"},
        },
        "item_list": [{"stock_id": 1578, "quantity": 1}, {"stock_id": 1567, "quantity": 1}],
    },
    mistake={"item_list": [{"stock_id": 200022, "quantity": 5}]},
    mistake_in_words="more pieces than there are",
)
