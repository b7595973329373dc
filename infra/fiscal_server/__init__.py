"""The tax service's fiscal server: its wire format, its answers, the client."""
