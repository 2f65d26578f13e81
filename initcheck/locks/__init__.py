"""Law files under review: the laws that a start follows, one line a role, and whether it still follows them."""
