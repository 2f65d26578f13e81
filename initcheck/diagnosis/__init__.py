"""From a failing claim to its likely cause and fix."""
