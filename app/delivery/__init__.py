"""Delivery: what webhooks are sent, on its way out."""
