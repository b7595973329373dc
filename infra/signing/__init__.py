"""Signatures: who signs, what a signed message looks like, who may be trusted."""
