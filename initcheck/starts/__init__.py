"""What every parameter of a layer, an initializer or a model starts from: its law, by name and by formula."""
