"""The Python client, and the command line for a remote server that is built on it."""
