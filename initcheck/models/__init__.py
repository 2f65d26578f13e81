"""Whole models: what a built ``torch.nn.Module`` starts from, judged by the provenance of its weights."""
