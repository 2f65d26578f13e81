"""User code run so that nothing leaks."""
