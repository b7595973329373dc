"""`fiscal doctor`: what is configured, what works, what does not, and what to do about it."""
