"""Other services that do the same work, to compare with."""
