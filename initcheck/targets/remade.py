"""An initializer or a model made again in another process, and drawn there: all that a fresh process is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.contract.initializer import Initializer
from initcheck.contract.tested import Tested
from initcheck.draws.draws import digest
from initcheck.sandbox.containment import InitializerRaised
from initcheck.sandbox.containment import contained as user_code
from initcheck.sandbox.global_generators import isolated
from initcheck.targets.loading import rebuild
from initcheck.targets.locks import locked_again
from initcheck.targets.models import model_again
from initcheck.targets.pairs import pair_again

_AGAIN: Mapping[str, Callable[[Mapping[str, Any]], Tested]] = {
    "model": model_again,
    "pair": pair_again,
    "lock": locked_again,
}


class Remade:
    """An initializer or a model made again in this process.

    Args:
        recipe: how it is made.
        tested: where it was read here already.

    Raises:
        UsageError: it cannot be made here.
    """

    def __init__(self, recipe: Mapping[str, Any], tested: Tested | None = None) -> None:
        if tested is None:
            with user_code(put_back=False):
                again = next((make for key, make in _AGAIN.items() if key in recipe), rebuild)
                tested = again(recipe)
        self.tested = tested

    def inferred(self) -> list[str]:
        """The contract that it seems to keep, in the words of ``initcheck infer``."""
        assert isinstance(self.tested, Initializer)
        initializer, sampler = self.tested, self.tested.sampler
        if initializer.subject is not None:
            # Here, as few runs have a layer: what layers start from takes a tenth of all modules.
            from initcheck.layers.sampler import LayerSampler
            from initcheck.starts.layer import laws_of_layer

            assert isinstance(sampler, LayerSampler)
            laws = [line for law in laws_of_layer(sampler) for line in law.lines()]
            return ["a layer, judged by what it does; its parameters start from:", *(f"  {line}" for line in laws)]

        # Here too: a process that repeats a plan infers nothing.
        from initcheck.diagnosis.evidence.inference import infer_initializer

        def draw(shape: tuple[int, ...], seed: int) -> npt.NDArray[Any]:
            with user_code():
                drawn = sampler.calls(shape, [seed], "float32")[0]
            return np.asarray(sampler.to_numpy(drawn), dtype=np.float64)

        return infer_initializer(initializer, draw).lines()

    def digests(self, plan: Sequence[Any], dtype: str, global_seed: int) -> list[str]:
        """Digests of calls (shape to ask for, seed, shape expected), or in which way one is broken."""
        assert isinstance(self.tested, Initializer)
        sampler, found = self.tested.sampler, []
        with isolated(global_seed):
            for asked, seed, shape in plan:
                try:
                    with user_code():
                        result = sampler.calls(tuple(asked), [seed], dtype)[0]
                    array = sampler.to_numpy(result)
                    broken = None if array.shape == tuple(shape) else "shape"
                except (InitializerRaised, TypeError) as error:
                    broken = "type" if isinstance(error, TypeError) else "raises"
                found.append(f"broken: {broken}" if broken else digest(array).hex())
        return found
