"""HTTP: requests in, problems and resources out."""
