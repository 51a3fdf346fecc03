"""The roll-up against an independent computation, over random histories."""
