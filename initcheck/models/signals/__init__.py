"""What a living model does with one batch: signal, gradients, residual stream, whether its input arrives."""
