"""What a property asks of a trial: one statistical question a file."""
