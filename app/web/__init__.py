"""Pages that people look at: HTML made on the server, from the same verbs as the JSON."""
