"""The public program: the same for everybody, shared by all processes."""
