"""What the service does under load, measured."""
