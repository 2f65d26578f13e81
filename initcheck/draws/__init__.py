"""Everything drawn of one initializer, made once and kept as sums."""
