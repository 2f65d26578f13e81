"""Text or an object -> what is tested: initializers, models, pairs, law files; with recipes to make them again."""
