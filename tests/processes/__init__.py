"""Tests with real server processes: storms, kills, and the command line as users run it."""
