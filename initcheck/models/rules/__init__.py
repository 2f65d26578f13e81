"""What is right of a built model: one rule a file, asked by the claims in ``initcheck.properties``."""
