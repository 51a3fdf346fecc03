"""Quickwin: quick-win reform initiatives, rolled up exactly through a tree of units."""

__version__ = "0.1.0"
