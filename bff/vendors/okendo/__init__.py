"""Okendo: its operations as rows, its replies, its refusals, its webhooks."""
