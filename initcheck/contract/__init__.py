"""What is promised, and of which layers."""
