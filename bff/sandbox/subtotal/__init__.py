"""The pretended Subtotal."""
