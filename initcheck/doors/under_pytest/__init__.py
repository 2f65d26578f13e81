"""The door of pytest: a session, its items and their outcomes."""
