"""Signing in, sessions, and the tokens behind them."""
