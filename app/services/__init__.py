"""The rules: verbs on nouns. The only floor that changes rows; nothing here commits."""
