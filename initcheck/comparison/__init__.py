"""Two starts, one law: whether two initializers, layers or models draw from the same law, and where they differ."""
