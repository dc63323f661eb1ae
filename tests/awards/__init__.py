"""Points for what happened at other retailers."""
