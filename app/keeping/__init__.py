"""Keeping: backups of a whole service, and its way back.

An archive (`app.archive`) moves one institution and leaves secrets behind; a backup is the database
as it is, with tokens, keys and programmes, for the same kind of database.
"""
