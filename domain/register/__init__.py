"""The cash register: its shift, its numbers, its documents in order."""
