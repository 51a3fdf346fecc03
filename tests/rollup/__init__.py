"""The roll-up against a model of its own, written from the rules alone."""
