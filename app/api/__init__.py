"""HTTP and JSON: each endpoint is one call of one verb."""
