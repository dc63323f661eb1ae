"""The pretended vendors: Shopify, Okendo and Subtotal as one server, with a control API for tests and demos."""
