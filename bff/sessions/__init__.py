"""Sessions: who is signed in, and how their tokens are kept and renewed."""
