"""Python object -> Initializer: one file per concept; a framework is touched only as a target's own."""
