"""Migrations and the bulk loader, on both databases."""
