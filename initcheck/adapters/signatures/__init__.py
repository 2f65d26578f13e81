"""How a callable is called: read off its parameters and its code."""
