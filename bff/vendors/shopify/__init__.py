"""Shopify: discovery, OAuth, ID tokens, GraphQL."""
