"""What tests stand on: services, shoppers, vendors that misbehave, and tables of hostile input."""
