"""Subtotal: its API and its webhooks."""
