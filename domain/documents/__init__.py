"""Receipts, shift documents and reports as frozen data, and their XML."""
