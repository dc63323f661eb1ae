"""A loyalty backend-for-frontend: Shopify sign-in, Okendo Loyalty, pages and JSON for one storefront."""
