"""The HTML pages, without a browser."""
