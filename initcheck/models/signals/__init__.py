"""What a model does with one batch: signal, gradients, residual stream, whether its input arrives.

The words and measures for it, and how modules of torch are measured; ``living`` measures those of other frameworks.
"""
