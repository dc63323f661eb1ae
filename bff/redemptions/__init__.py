"""Redeeming points exactly once."""
