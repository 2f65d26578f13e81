"""What the program of a fresh process answers, and how little it starts with."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

from initcheck.engine.settings import Settings
from initcheck.runs.server import Server
from initcheck.targets.loading import load

SETTINGS = dataclasses.asdict(Settings(claims=("finite",), profile="quick"))


def answered(server, **request):
    found = []
    server.answer(request, lambda **answer: found.append(answer))
    return found[-1]


def test_a_process_that_repeats_a_plan_loads_nothing_that_judges():
    program = (
        "import sys; from initcheck.runs.server import Server;"
        " print([m for m in ('hypothesis', 'initcheck.engine.checker', 'initcheck.properties') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_was_made_again_is_drawn_and_judged_there():
    [initializer] = load("initcheck.gallery:he_normal").initializers
    server, recipe = Server(), dict(initializer.recipe)
    plan = [[[3, 5], 7, [3, 5]], [[3, 5], 8, [3, 5]], [[3, 5], 7, [3, 5]]]
    request = {"recipe": recipe, "plan": plan, "dtype": "float32", "global seed": 3}
    first, other, again = answered(server, **request)["digests"]
    assert first == again != other
    made = server._last
    assert "digests" in answered(server, **request)
    assert server._last is made
    judged = answered(server, recipe=recipe, settings=SETTINGS, claims=["finite"])
    assert [r["verdict"] for r in judged["results"]] == ["HOLDS"]
    # Other settings are another run: what was drawn is let go, and the initializer with it.
    assert server._last is not made
    unit = server._judged
    answered(server, recipe=recipe, settings=SETTINGS, claims=["finite"])
    assert server._judged is unit
