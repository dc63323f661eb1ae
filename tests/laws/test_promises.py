"""Words for shoppers promise nothing that does not come from data: no duration, no number of taps, no remedy."""

import ast
import re
from collections.abc import Iterator

import pytest
from support.sandbox_catalogue import FIVE_OFF, FREE_PRODUCT, GOLD_ONLY
from support.services import ROOT, Service, Vendors
from support.shopper import Shopper

# What is told from data has a placeholder where these have a word.
FORBIDDEN = {
    "a duration": r"\b(a|an|one|few|couple of|\d+) (second|minute|moment|hour|day|week|month)s?\b",
    "a time to come": r"\b(soon|shortly|instantly|immediately|right away|any time now)\b",
    "a number of taps": r"\b(one|two|three|single|\d+) (tap|click|step)s?\b",
    "what usually happens": r"\b(usually|normally|typically|mostly|most often|often gone)\b",
    "that points stay": r"\bkeep (until|their|for)\b|\bnever expires?\b|\bfor ever\b",
}
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
# Where sentences for shoppers are written outside of the templates.
MODULES = (
    "errors.py",
    "vendors/okendo/refusals.py",
    "redemptions/outcomes.py",
    "stores/rate_limits.py",
    "web/responses.py",
)
EXAMPLES = (
    "It is free and takes one tap.",
    "This usually takes less than an hour.",
    "Please wait a moment.",
    "Look in again soon.",
    "See you; your points keep until then.",
    "It is often gone by then.",
    "which can take a minute",
)


def of_templates() -> Iterator[tuple[str, str]]:
    for template in (ROOT / "templates").rglob("*.html"):
        if "sandbox" not in template.parts:
            source = re.sub(r"{#.*?#}", "", template.read_text(), flags=re.DOTALL)
            yield from ((template.name, text) for text in TEXT.findall(source) if " " in text)


def of_modules() -> Iterator[tuple[str, str]]:
    pages = (f"pages/{path.name}" for path in (ROOT / "bff/pages").glob("*.py"))
    for name in (*MODULES, *pages):
        tree = ast.parse((ROOT / "bff" / name).read_text())
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        words = {ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, documented)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in words:
                yield name, node.value


def broken(text: str) -> list[str]:
    return [what for what, words in FORBIDDEN.items() if re.search(words, text, re.IGNORECASE)]


def test_no_text_for_shoppers_promises_what_no_data_tells() -> None:
    texts = [*of_templates(), *of_modules()]
    assert len(texts) > 300
    assert {(name, text): why for name, text in texts if (why := broken(text))} == {}


@pytest.mark.parametrize("text", EXAMPLES)
def test_a_promise_is_noticed(text: str) -> None:
    assert broken(text)


def words_of(shopper: Shopper, reward: str) -> str:
    return shopper.get(f"/rewards/{reward}").text


def test_a_reward_of_a_higher_tier_says_so_to_everybody_and_how_the_tier_is_reached(service: Service) -> None:
    visitors = service.shopper(), service.signed_in("penny"), service.signed_in("ella")
    for visitor in visitors:
        words = words_of(visitor, GOLD_ONLY)
        assert "Only Gold members can redeem this. You become one by spending $1,000 at the shop." in words
        assert "For Gold members" in visitor.get("/rewards").text
        assert "Invite a friend" not in words, "a tier comes of spending"
        assert ("Sign in to redeem" in words, "Join to redeem" in words) == (False, False)
    assert "Only Gold members" not in words_of(service.signed_in("tara"), GOLD_ONLY)


def test_the_remedy_is_one_that_closes_the_gap(service: Service, vendors: Vendors) -> None:
    ella = service.signed_in("ella")
    assert "See ways to earn" in words_of(ella, FREE_PRODUCT)
    vendors.control("member", persona="ella", limits={FIVE_OFF: 0})
    words = words_of(ella, FIVE_OFF)
    assert "as often as allowed" in words
    assert ("See ways to earn" in words, "See the other rewards" in words) == (False, True)


def test_how_a_tier_is_reached_is_left_out_where_nobody_tells(service: Service, vendors: Vendors) -> None:
    vendors.control("dialect", vip_program={"names": {"spendRequirement": "unheard-of"}})
    words = words_of(service.shopper(), GOLD_ONLY)
    assert "Only Gold members can redeem this." in words
    assert "spending" not in words


def test_a_waiting_time_is_told_in_words(service: Service) -> None:
    ella = service.signed_in("ella")
    for number in range(100):
        page = ella.submit(ella.get("/refer"), "/refer", email=f"friend{number}@example.com")
        if page.status == 429:
            break
    seconds = int(page.reply.headers["retry-after"])
    [told] = re.findall(r"You can try again in (\d+) (second|minute|hour|day)s?\.", page.text)
    size = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}[told[1]]
    assert 0 <= int(told[0]) * size - seconds < size + 2
