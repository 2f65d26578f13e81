"""JAX compiling at little cost: functions of ours, and what the user's own calls consist of."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from initcheck.adapters.signatures.arguments import framework_module
from initcheck.adapters.signatures.frameworks import compiles

# Measured on jaxlib 0.10: at XLA's own level the batch of a shape takes 1.7 CPU seconds to compile, at this one 0.25
# with the same bits, and runs as fast. On level 0 it takes 0.1 and runs five times as long; the gradient of MobileNetV2
# takes 1.9 in place of 10.8, and runs as fast. Code so small costs a fifth more where it is split among threads.
_CHEAP = {
    "xla_backend_optimization_level": 2,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_use_fusion_emitters": False,
    "xla_cpu_parallel_codegen_split_count": 1,
}


def compiled(function: Callable[..., Any], *, runs_often: bool = True) -> Callable[..., Any]:
    """``jax.jit`` of a function that is worth a quarter of the usual effort, or, where it seldom runs, none at all."""
    jax = framework_module("jax")
    options = {**_CHEAP, **({} if runs_often else {"xla_backend_optimization_level": 0})}
    made: Callable[..., Any] = jax.jit(function, compiler_options=options if jax.default_backend() == "cpu" else None)
    return made


@contextlib.contextmanager
def own_calls_compiled_cheaply(framework: str = "jax") -> Iterator[None]:
    """Let JAX, where it is loaded, compile in half of the time what own calls consist of: few run, and each briefly.

    Args:
        framework: whose calls are made; where Keras runs on another backend JAX is not asked for its device, since
            that takes the memory of a GPU.
    """
    jax, flag = sys.modules.get("jax") if compiles(framework) else None, "jax_disable_most_optimizations"
    before = getattr(getattr(jax, "config", None), "values", {}).get(flag)
    # Read by JAX as it compiles, and by nothing else: no call that is compiled already is compiled again.
    if jax is None or before is not False or jax.default_backend() != "cpu":
        yield
        return
    jax.config.update(flag, True)
    try:
        yield
    finally:
        jax.config.update(flag, before)
