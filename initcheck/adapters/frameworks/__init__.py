"""What one framework's initializers are, how they are called and what they promise."""
