"""Database migrations, for SQLite and PostgreSQL alike."""
