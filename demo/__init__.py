"""What `make run` adds to the service: everything that it needs, on one machine."""
