"""What a model is run on: a batch in words, from its library, its signature, its errors, else from its first layer."""
