"""Webhooks that the pretended vendors send."""
