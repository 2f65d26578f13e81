"""One built layer, fed: what it takes, and how far each output looks."""
