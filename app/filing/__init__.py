"""Uploaded files: what their content says they are, whether a scanner finds them clean, and where they are kept."""
