"""Everything with a foreign format or a foreign wire."""
