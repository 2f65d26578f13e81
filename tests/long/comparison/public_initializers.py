"""The public initializers of PyTorch, JAX, Keras and Flax with fixed arguments, and which of them are one law.

Equinox has none that are public. A law is written down from each library's documentation as (family, variance over
shape); two are one law where these are equal. ``python tests/long/comparison/public_initializers.py OUT.json``
compares all pairs and writes the matrix, about twelve minutes of one core; with a profile, such as ``default``, and
``one-law`` behind it the pairs of one law alone.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from typing import Any

from initcheck.comparison.drawn import Drawn
from initcheck.comparison.functions import compare_functions
from initcheck.comparison.parts import Terms
from initcheck.draws.call import BrokenCall
from initcheck.targets.loading import load

# TN is a normal cut at two standard deviations; TN raw has the variance of the cut normal.


def _torch() -> dict[str, str]:
    i = "torch.nn.init:"
    return {
        f"{i}uniform_": "U(0,1)",
        f"{i}uniform_(a=-0.05,b=0.05)": "U(-.05,.05)",
        f"{i}normal_": "N 1",
        f"{i}normal_(std=0.05)": "N .05",
        f"{i}normal_(std=0.02)": "N .02",
        f"{i}trunc_normal_": "TN(2) raw 1",
        f"{i}trunc_normal_(std=0.02)": "N .02",  # cut at +-2, a hundred standard deviations
        f"{i}trunc_normal_(std=0.05,a=-0.1,b=0.1)": "TN(2) raw .05",
        f"{i}constant_(val=0.0)": "0",
        f"{i}constant_(val=1.0)": "1",
        f"{i}constant_(val=0.3)": "0.3",
        f"{i}ones_": "1",
        f"{i}zeros_": "0",
        f"{i}xavier_uniform_": "U 1/fan_avg",
        f"{i}xavier_normal_": "N 1/fan_avg",
        f"{i}xavier_normal_(gain=1.4142135623730951)": "N 2/fan_avg",
        f"{i}kaiming_uniform_": "U 2/fan_in",
        f"{i}kaiming_uniform_(a=2.23606797749979)": "U .333/fan_in",
        f'{i}kaiming_uniform_(nonlinearity="linear")': "U 1/fan_in",
        f'{i}kaiming_uniform_(mode="fan_out")': "U 2/fan_out",
        f"{i}kaiming_normal_": "N 2/fan_in",
        f'{i}kaiming_normal_(mode="fan_out")': "N 2/fan_out",
        f'{i}kaiming_normal_(nonlinearity="linear")': "N 1/fan_in",
        f'{i}kaiming_normal_(nonlinearity="tanh")': "N 2.78/fan_in",
        f"{i}orthogonal_": "O 1",
        f"{i}orthogonal_(gain=1.4142135623730951)": "O 1.41",
        f"{i}eye_": "I",
        f"{i}sparse_(sparsity=0.5)": "sparse .5 columns",
        f"{i}sparse_(sparsity=0.1)": "sparse .1 columns",
        f"{i}dirac_": "dirac",
    }


def _jax(home: str, *, also: bool) -> dict[str, str]:
    laws = {
        "zeros": "0",
        "ones": "1",
        "constant(value=0.3)": "0.3",
        "uniform()": "U(0,.01)",
        "uniform(scale=1.0)": "U(0,1)",
        "normal()": "N .01",
        "normal(stddev=0.02)": "N .02",
        "truncated_normal()": "TN(2) raw .01",
        "truncated_normal(stddev=0.05)": "TN(2) raw .05",
        "glorot_uniform()": "U 1/fan_avg",
        "glorot_normal()": "TN(2) 1/fan_avg",
        "lecun_uniform()": "U 1/fan_in",
        "lecun_normal()": "TN(2) 1/fan_in",
        "he_uniform()": "U 2/fan_in",
        "he_normal()": "TN(2) 2/fan_in",
        "orthogonal()": "O 1",
        'variance_scaling(scale=2.0,mode="fan_out",distribution="normal")': "N 2/fan_out",
        'variance_scaling(scale=2.0,mode="fan_in",distribution="normal")': "N 2/fan_in",
        'variance_scaling(scale=1.0,mode="fan_avg",distribution="uniform")': "U 1/fan_avg",
    }
    if also:
        laws["delta_orthogonal()"] = "delta orthogonal"
    return {f"{home}:{name}": law for name, law in laws.items()}


def _keras() -> dict[str, str]:
    laws = {
        "Zeros": "0",
        "Ones": "1",
        "Constant(value=0.3)": "0.3",
        "RandomNormal": "N .05",
        "RandomNormal(stddev=0.02)": "N .02",
        "RandomUniform": "U(-.05,.05)",
        "TruncatedNormal": "TN(2) raw .05",
        "TruncatedNormal(stddev=1.0)": "TN(2) raw 1",
        "VarianceScaling": "TN(2) 1/fan_in",
        'VarianceScaling(scale=2.0,mode="fan_out",distribution="untruncated_normal")': "N 2/fan_out",
        "GlorotNormal": "TN(2) 1/fan_avg",
        "GlorotUniform": "U 1/fan_avg",
        "HeNormal": "TN(2) 2/fan_in",
        "HeUniform": "U 2/fan_in",
        "LecunNormal": "TN(2) 1/fan_in",
        "LecunUniform": "U 1/fan_in",
        "Orthogonal": "O 1",
        "Identity": "I",
    }
    return {f"keras.initializers:{name}": law for name, law in laws.items()}


PUBLIC: dict[str, str] = {
    **_torch(),
    **_jax("jax.nn.initializers", also=True),
    **_keras(),
    **_jax("flax.linen.initializers", also=True),
    **{k: v for k, v in _jax("flax.nnx.nn.initializers", also=False).items() if "std" not in k and "scaling" not in k},
}
"""Target text -> its law."""


class Matrix:
    """Pairs of public initializers, compared; the calls of each function are drawn once and serve all its pairs.

    Attributes:
        profile: of the comparison.
        rows: of each pair so far what was answered and what mathematics says.
    """

    def __init__(self, profile: str = "default") -> None:
        self.profile = profile
        self.rows: list[dict[str, Any]] = []
        self._drawn: dict[str, Drawn] = {}

    def compare(self, x: str, y: str) -> dict[str, Any]:
        """Compare one pair; a shape that only one takes is left out, and a pair without any says so."""
        for name in (x, y):
            if name not in self._drawn:
                self._drawn[name] = Drawn(load(name).initializers[0], 0)
        at = time.process_time()
        try:
            parts = compare_functions(self._drawn[x], self._drawn[y], Terms(profile=self.profile), every=False).parts
        except BrokenCall:
            parts = ()
        answers = {str(part.answer) for part in parts}
        row = {
            "a": x,
            "b": y,
            "answer": next((a for a in ("DIFFERENT", "UNDECIDED", "SAME") if a in answers), "nothing in common"),
            "wanted": "SAME" if PUBLIC[x] == PUBLIC[y] else "DIFFERENT",
            "seconds": round(time.process_time() - at, 3),
            "cause": next((part.cause for part in parts if part.cause), ""),
            "parts": [part.sentence for part in parts if str(part.answer) != "SAME"],
        }
        self.rows.append(row)
        return row

    @property
    def wrong(self) -> list[dict[str, Any]]:
        """The pairs of which the other was said."""
        return [r for r in self.rows if r["answer"] in ("SAME", "DIFFERENT") and r["answer"] != r["wanted"]]

    @property
    def summary(self) -> str:
        """Counts and CPU seconds in a sentence."""
        compared = [r for r in self.rows if r["answer"] != "nothing in common"]
        seconds = sorted(r["seconds"] for r in compared) or [0.0]
        of = Counter((r["wanted"], r["answer"]) for r in compared)
        return (
            f"{len(self._drawn)} functions, {len(compared)} pairs with a shape in common of {len(self.rows)}:"
            f" of one law {of['SAME', 'SAME']} SAME, {of['SAME', 'UNDECIDED']} UNDECIDED,"
            f" {of['SAME', 'DIFFERENT']} DIFFERENT; of two laws {of['DIFFERENT', 'DIFFERENT']} DIFFERENT,"
            f" {of['DIFFERENT', 'UNDECIDED']} UNDECIDED, {of['DIFFERENT', 'SAME']} SAME; CPU s a pair: median"
            f" {seconds[len(seconds) // 2]:.2f}, 99 in 100 below {seconds[int(0.99 * (len(seconds) - 1))]:.2f}, most"
            f" {seconds[-1]:.2f}, all {sum(seconds):.0f}"
        )


def main(out: str, profile: str = "default", which: str = "all") -> None:
    """Compare all pairs, or those of ``one-law`` alone; what is not as mathematics says is printed as it comes."""
    os.environ.setdefault("KERAS_BACKEND", "jax")
    matrix = Matrix(profile)
    names = list(PUBLIC)
    with open(out, "w", encoding="utf-8") as file:
        for number, y in enumerate(names):
            for x in names[:number]:
                if which == "one-law" and PUBLIC[x] != PUBLIC[y]:
                    continue
                row = matrix.compare(x, y)
                file.write(json.dumps(row) + "\n")
                file.flush()
                if row["answer"] != row["wanted"] and row["answer"] != "nothing in common":
                    print(row, flush=True)
            print(matrix.summary, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
