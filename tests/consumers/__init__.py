"""Generated clients of the API, compiled."""
