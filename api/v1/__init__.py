"""Version 1 of the API: resources of the field."""
