"""Text or an object -> initializers, with the recipe that makes them again elsewhere."""
