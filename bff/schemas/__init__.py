"""What the service answers with and accepts, as typed schemas."""
