"""A built layer as a function of its parameters, one file a framework."""
