"""Every operation of the pretended vendors."""

from bff.sandbox.okendo import member_api, merchant_api, public_api
from bff.sandbox.shopify import authorize, storefront_api
from bff.sandbox.shopify import server_api as shopify_api
from bff.sandbox.subtotal import link, setup_api, simulator
from bff.sandbox.subtotal import server_api as subtotal_api

OPERATIONS = (
    *shopify_api.OPERATIONS, *storefront_api.OPERATIONS, *authorize.OPERATIONS, *public_api.OPERATIONS,
    *member_api.OPERATIONS, *merchant_api.OPERATIONS, *subtotal_api.OPERATIONS, *setup_api.OPERATIONS,
    *simulator.OPERATIONS, *link.OPERATIONS,
)  # fmt: skip
NAMES = tuple(dict.fromkeys(operation.name for operation in OPERATIONS))
