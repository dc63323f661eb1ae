"""Subtotal: its API and its signed messages."""
