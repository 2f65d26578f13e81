"""The result of a run as data, and in words."""
