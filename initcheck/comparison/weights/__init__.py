"""What the builds of two models hold, laid side by side: tensors by role, whatever framework built them."""
