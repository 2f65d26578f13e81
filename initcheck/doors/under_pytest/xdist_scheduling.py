"""Under ``pytest -n N``, the claims of an initializer on one worker, which draws its weights once for all of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

# Initializers a worker from which on whole ones are handed out: with fewer, one slow initializer is waited for.
_LEAST = 3


def by_initializer(config: pytest.Config, log: Any, idents: Collection[str]) -> Any:
    """A scheduler of xdist that hands out initializers whole; None where its own is better, or another was asked for.

    Args:
        config: pytest's, of the controller.
        log: where xdist's schedulers write.
        idents: the file part of the node ids of claims, one an initializer.
    """
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped, unused-ignore]
    from xdist.workermanage import parse_tx_spec_config  # type: ignore[import-untyped, unused-ignore]

    if config.getvalue("dist") != "load" or len(idents) < _LEAST * len(parse_tx_spec_config(config)):
        return None

    class _ByInitializer(LoadScopeScheduling):  # type: ignore[misc, unused-ignore]
        def _split_scope(self, nodeid: str) -> str:
            ident = nodeid.partition("::")[0]
            return ident if ident in idents else nodeid

        def remove_node(self, node: Any) -> Any:
            # xdist 3.8 hands the item that killed a worker to the next one, and so on; and it hands out units that are
            # done, for whose end it then waits.
            units = self.assigned_work[node]
            crashed = next((item for unit in units.values() for item, ran in unit.items() if not ran), None)
            for unit in units.values():
                unit.update({item: True for item in unit if item == crashed})
            self.assigned_work[node] = {scope: unit for scope, unit in units.items() if not all(unit.values())}
            super().remove_node(node)
            return crashed

    return _ByInitializer(config, log)
