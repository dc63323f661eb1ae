"""What is public of the tiers."""

from support.shopper import Shopper


def test_perks_have_one_form_whatever_theirs_at_the_vendor(shopper: Shopper) -> None:
    tiers = shopper.api("GET", "/program").json()["tiers"]
    assert [tier["name"] for tier in tiers] == ["Bronze", "Silver", "Gold"]
    assert [tier["perks"] for tier in tiers] == [
        [{"name": "Birthday gift"}],
        [
            {"name": "Birthday gift"},
            {"name": "Early access", "description": "Shop sales one day before everyone else."},
        ],
        [
            {"name": "Birthday gift"},
            {"name": "Free returns"},
            {"name": "A stylist", "description": "Two personal sessions a year."},
        ],
    ]


def test_a_tier_has_an_id_a_colour_and_what_it_takes(shopper: Shopper) -> None:
    silver = shopper.api("GET", "/tiers").json()["tiers"][1]
    assert silver["id"] == "5d1c0e77-8a4b-4d36-9b1e-7f2a60c30c02"
    assert silver["colour"] == "#8d99a6"
    assert silver["spend"] == {"amount": "300.00", "currencyCode": "USD"}
    assert "multiplier" not in silver, "Okendo does not say"
