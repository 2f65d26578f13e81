"""One claim against one initializer: its cases, its decisions, its verdict."""
