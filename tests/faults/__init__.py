"""Vendors, stores and processes that fail."""
