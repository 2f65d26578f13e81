"""What is drawn of a layer: fresh layers, each built once for all of its weights, or measured as a function."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from initcheck.contract.case import Case
from initcheck.contract.initializer import Initializer
from initcheck.draws.draws import Draws
from initcheck.draws.streams import Stream
from initcheck.layers.direct import measured, measured_response, measured_response_gradient
from initcheck.layers.fans import Structure
from initcheck.layers.part import Part, Whole
from initcheck.layers.sampler import ALL_WEIGHTS, LayerSampler
from initcheck.networks import Activation
from initcheck.statistics import Record

Array = npt.NDArray[Any]

# Numbers of the builds that are kept: 32 MiB of float32. The parts of one layer are asked for one after another.
_KEPT = 2**23
# Weights that are stacked at a time.
_CHUNK = 2**20


class LayerDraws(Draws):
    """Calls on a layer: a call is one fresh layer, and all parts of one size are read off the same one.

    Attributes:
        sampler: builds the layers.
        structure: what was found of the layer.
        activation: says whose output a measured layer is fed; asked once something is measured, since what a layer
            promises may be read off draws.
    """

    def __init__(
        self,
        initializer: Initializer,
        run_seed: int,
        *,
        sampler: LayerSampler,
        structure: Structure,
        activation: Callable[[], Activation],
    ) -> None:
        super().__init__(initializer, run_seed)
        self.sampler = sampler
        self.structure = structure
        self.activation = activation
        self._builds: OrderedDict[tuple[int, str, int], dict[int, Array]] = OrderedDict()
        self._kept = 0

    def array(self, layer: Case, dtype: str, result: Any) -> Array:
        """The part of a whole weight.

        Raises:
            BrokenCall: as ``Draws``.
        """
        if isinstance(layer, Part):
            result = layer.of(self.sampler.to_numpy(result))
        return super().array(layer, dtype, result)

    def arrays(self, layer: Case, dtype: str, seeds: Sequence[int]) -> list[Array]:
        """One array a seed, of layers that were built before or are built now.

        Raises:
            BrokenCall: as ``Draws``.
        """
        if isinstance(layer, Whole):
            return self._measured(layer, seeds)
        if isinstance(layer, Part):
            return [self.array(layer, dtype, build[layer.place]) for build in self.builds(layer, dtype, seeds)]
        return super().arrays(layer, dtype, seeds)

    def _measured(self, layer: Whole, seeds: Sequence[int]) -> list[Array]:
        interior = self.structure.interiors[layer.number]
        functions = self.sampler.functions(layer.size, seeds)
        feed, phi = self.sampler.builder.feed(layer.size), self.activation()
        self.calls += len(seeds)
        pairs, batch = zip(functions, seeds, strict=True), layer.shape[0]
        if layer.slope:
            pool = self.structure.pool
            if layer.backward:
                return [measured_response_gradient(f, feed, layer.size, pool, s, batch) for f, s in pairs]
            return [measured_response(f, feed, layer.size, layer.slope, pool, s, batch) for f, s in pairs]
        how = {"backward": layer.backward, "of_degree_one": self.structure.answering == 0.0}
        return [measured(f, feed, layer.size, interior, phi, s, batch, **how) for f, s in pairs]

    def records(self, layer: Case, dtype: str, stream: Stream, stop: int) -> Record:
        """The sums of the first calls of a stream; those of all parts of a size are taken from one build.

        Raises:
            BrokenCall: as ``Draws``.
        """
        start = self.recorded(layer, dtype, stream)
        if isinstance(layer, Part) and start < stop:
            together = [p for p in self.structure.parts if p.number == layer.number]
            together = [p for p in together if self.recorded(p, dtype, stream) == start]
            seeds = self.seeds(layer, dtype, stream, start, stop)
            step = max(1, _CHUNK // sum(p.weights for p in together))
            for at in range(0, len(seeds), step):
                builds = self.builds(layer, dtype, seeds[at : at + step])
                for part in together:
                    stack = np.stack([self.array(part, dtype, b[part.place]) for b in builds])
                    self.keep(part, dtype, stream, part.as_units(stack))
        return super().records(layer, dtype, stream, stop)

    def builds(self, part: Part, dtype: str, seeds: Sequence[int]) -> list[dict[int, Array]]:
        """All weights, by their numbers, of the layers that these seeds give at the size of a part.

        Raises:
            BrokenCall: the code raised.
        """
        keys = [(part.number, dtype, seed) for seed in seeds]
        missing = list(dict.fromkeys(key for key in keys if key not in self._builds))
        found = {key: self._builds[key] for key in keys if key in self._builds}
        every = replace(part, place=ALL_WEIGHTS)
        drawn = self.raw(every, dtype, [seed for _, _, seed in missing], own=False) if missing else []
        for key, build in zip(missing, drawn, strict=True):
            found[key] = self._builds[key] = {place: np.array(w) for place, w in build.items()}
            self._kept += sum(w.size for w in found[key].values())
            while self._kept > _KEPT and len(self._builds) > 1:
                _, dropped = self._builds.popitem(last=False)
                self._kept -= sum(w.size for w in dropped.values())
        return [found[key] for key in keys]
