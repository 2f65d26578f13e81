"""What a claim is, how it is stated, and the registry of all of them."""
