"""The browser's edge: what may come in, who is asking, and how an answer goes out."""
