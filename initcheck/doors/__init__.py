"""The ways in: what a user wrote becomes a plan, and a report becomes an answer."""
