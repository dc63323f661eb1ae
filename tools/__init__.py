"""What is run beside the service: by `make`, never by a process that serves."""
