"""What the pretended shop sells: three products with one variant each (shopify.dev/docs/api/storefront: Product)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bff.sandbox.okendo.program import CURRENCY
from bff.sandbox.shopify.graphql import Arguments, Resolver, Shown, connection


@dataclass(frozen=True)
class Product:
    """`number` is what its id and its variant's end in."""

    number: int
    handle: str
    title: str
    price: Decimal
    description: str

    @property
    def id(self) -> str:
        return f"gid://shopify/Product/{self.number}"

    @property
    def variant_id(self) -> str:
        return f"gid://shopify/ProductVariant/{self.number}"


PRODUCTS = (
    Product(8100000000001, "cleanser", "Gentle cleanser", Decimal("18.00"), "A mild gel for every day."),
    Product(8100000000002, "day-cream", "Day cream", Decimal("24.00"), "Light, with SPF 30."),
    Product(8100000000003, "night-serum", "Night serum", Decimal("42.00"), "A few drops before sleep."),
)
BY_VARIANT = {product.variant_id: product for product in PRODUCTS}


def money(amount: Decimal, currency: str = CURRENCY) -> Shown:
    return {"__typename": "MoneyV2", "amount": f"{amount:.2f}", "currencyCode": currency}


def shown_variant(product: Product) -> Shown:
    return _variant(product) | {"product": _product(product)}


def _variant(product: Product) -> dict[str, object]:
    return {
        "__typename": "ProductVariant",
        "id": product.variant_id,
        "title": "Default Title",
        "sku": product.handle.upper(),
        "availableForSale": True,
        "requiresShipping": True,
        "image": None,
        "price": money(product.price),
        "compareAtPrice": None,
        "unitPrice": None,
        "selectedOptions": [{"name": "Title", "value": "Default Title"}],
    }


def _product(product: Product) -> dict[str, object]:
    price = money(product.price)
    return {
        "__typename": "Product",
        "id": product.id,
        "handle": product.handle,
        "title": product.title,
        "vendor": "Shop",
        "productType": "Skin care",
        "tags": [],
        "description": product.description,
        "descriptionHtml": f"<p>{product.description}</p>",
        "availableForSale": True,
        "featuredImage": None,
        "images": connection([]),
        "priceRange": {"__typename": "ProductPriceRange", "minVariantPrice": price, "maxVariantPrice": price},
    }


def _shown(product: Product) -> Shown:
    variant = shown_variant(product)
    chosen = {"selectedOrFirstAvailableVariant": lambda _: variant, "variants": connection([variant])}
    return _product(product) | chosen


def _one(given: Arguments) -> Shown | None:
    """`product(handle:)` or `product(id:)`; null for one that is not there."""
    wanted = {given.get("handle"), given.get("id")}
    return next((_shown(product) for product in PRODUCTS if wanted & {product.handle, product.id}), None)


def _all(given: Arguments) -> Shown:
    products: Sequence[Shown] = [_shown(product) for product in PRODUCTS]
    return connection(products)(given)


def _shop(_: Arguments) -> Shown:
    return {"__typename": "Shop", "id": "gid://shopify/Shop/74758783200", "name": "Shop", "description": ""}


ROOTS: dict[str, Resolver] = {"products": _all, "product": _one, "shop": _shop}
