"""Whole models: what a built ``torch.nn.Module`` starts from, judged by the provenance of its weights."""

from initcheck.models.check_model import ModelRun, check_model

__all__ = ["ModelRun", "check_model"]
