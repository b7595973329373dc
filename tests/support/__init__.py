"""What tests share: cheap stand-ins of our own ports, builders, helpers."""
