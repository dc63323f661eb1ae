"""The vendors, and the only way to the network."""
