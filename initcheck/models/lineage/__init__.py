"""Where the values of a model outside of torch come from: the keys of JAX, the initializers of Keras."""
