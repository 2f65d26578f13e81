"""What a model of any framework does with one batch: signal, gradients, whether its input arrives."""
