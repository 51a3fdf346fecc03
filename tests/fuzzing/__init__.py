"""Inputs that nobody thought of: too long for the suite, run by command (README, Security)."""
