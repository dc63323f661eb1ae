"""The pretended Shopify."""
