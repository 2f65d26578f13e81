"""The program of one rank: it builds the model beside the others and writes down what it holds.

``python -m initcheck.runs.rank_main FOLDER RANK PARENT`` reads the job from the folder that the ranks share
and writes its answer there (``initcheck.models.ranks.launch`` is the other end).
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from initcheck.sandbox.threads import end_with_parent


def main(folder: str, rank: int, parent: int) -> None:
    """Build once and tell what came.

    Args:
        folder: that the ranks share.
        rank: of this process.
        parent: id of the process that waits.
    """
    end_with_parent(parent)
    sys.argv = ["initcheck"]  # a module that reads its arguments as it is imported was given none
    stack = open(Path(folder) / f"stack-{rank}", "w")  # noqa: SIM115 - it is written to when this process hangs
    faulthandler.enable(stack)
    # Whoever waits asks for it before this process is ended; a clock of its own could strike amid an import.
    faulthandler.register(signal.SIGUSR1, file=stack, all_threads=False)
    job = pickle.loads((Path(folder) / "job").read_bytes())
    # Nothing of ours is loaded before a hang can be seen.
    from initcheck.models.ranks.told import RankTold

    try:
        told = _built(job, folder, rank, int(os.environ["WORLD_SIZE"]))
    except BaseException as error:  # SystemExit too: what ends the rank is its verdict
        told = RankTold(rank, problem=_words(error))
    part = Path(folder) / f"part-{rank}"
    part.write_bytes(pickle.dumps(told))
    part.rename(Path(folder) / f"told-{rank}")
    stack.flush()
    os._exit(0 if told.problem is None else 1)  # destructors of a broken group wait for ranks that are gone


def _built(job: Any, folder: str, rank: int, world: int) -> Any:
    import torch

    # They import PyTorch, whose failure is the verdict of this rank.
    from initcheck.adapters.signatures.rank_words import RANK
    from initcheck.models.ranks.build import told_of_rank
    from initcheck.targets.models import factory_again

    torch.set_num_threads(1)
    begin = _one_group(folder, rank, world)
    factory = factory_again(job["recipe"])
    if not set(RANK) & factory_parameters(factory):
        begin()
    return told_of_rank(factory, job["recipe"].get("name", "model"), rank, world, job["mesh"], job["seeds"])


def _one_group(folder: str, rank: int, world: int) -> Callable[..., None]:
    """Whoever asks for a process group gets the one of these ranks, once: a factory that begins and ends it by itself,
    as under torchrun, is called for several builds, and may find it begun."""
    import torch.distributed as dist
    from torch.distributed import distributed_c10d

    real = dist.init_process_group

    def init_process_group(*_args: Any, **_options: Any) -> None:
        if not dist.is_initialized():
            real("gloo", init_method=f"file://{folder}/group", rank=rank, world_size=world)

    def destroy_process_group(*_args: Any, **_options: Any) -> None:
        """Leave it to the end of the process."""

    for module in (dist, distributed_c10d):
        for function in (init_process_group, destroy_process_group):
            setattr(module, function.__name__, function)
    return init_process_group


def factory_parameters(factory: Any) -> set[str]:
    """Names of the parameters of a factory."""
    from initcheck.adapters.signatures.parameters import parameters_of  # nothing of ours before a hang can be seen

    return set(parameters_of(factory) or ())


def _words(error: BaseException) -> str:
    cause = error.__cause__ or error
    frames = [f for f in traceback.extract_tb(cause.__traceback__) if "site-packages" not in f.filename]
    where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    words = (str(cause).strip().splitlines() or [""])[0][:200]
    return f"raises {type(cause).__name__}: {words}{where}"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
