"""What is public of the tiers."""

from support.shopper import Shopper


def test_perks_are_shown_as_texts_whatever_their_form_at_the_vendor(shopper: Shopper) -> None:
    tiers = shopper.api("GET", "/program").json()["tiers"]
    assert [tier["name"] for tier in tiers] == ["Bronze", "Silver", "Gold"]
    assert all(isinstance(perk, str) and perk for tier in tiers for perk in tier["perks"])
    assert any(tier["perks"] for tier in tiers)
