"""What fresh memory is filled with, so that what nobody writes shows."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Fill:
    """One value would not do: garbage may look like a weight, and NaN may have been meant."""

    real: float
    whole: int

    def into(self, tensor: torch.Tensor) -> None:
        """Fill one fresh tensor in place."""
        if tensor.is_meta or tensor.is_quantized or tensor.layout != torch.strided or not tensor.numel():
            return
        if tensor.dtype.is_floating_point or tensor.dtype.is_complex:
            if tensor.element_size() == 1:  # float8 knows no fill
                tensor.copy_(torch.full((), self.real, device=tensor.device))
            else:
                tensor.fill_(self.real)
        else:
            tensor.fill_(bool(self.whole & 1) if tensor.dtype == torch.bool else self.whole)
