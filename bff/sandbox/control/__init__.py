"""The control API: faults, clock, state and events for tests and demonstrations."""
