"""The pretended vendors follow the vendors' rules."""
