"""Whole ways through the service, over plain HTTP."""
