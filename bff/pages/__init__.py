"""The HTML pages, complete without JavaScript, one file a noun."""
