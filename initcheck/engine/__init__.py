"""One claim against one subject: its cases, its decisions, its verdict."""
