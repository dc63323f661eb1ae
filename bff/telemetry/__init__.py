"""Logs, metrics, timings and trace ids."""
