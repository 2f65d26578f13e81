"""Forty-four initializers and layers as strangers write them, each with an answer that was written before any run.

``python tests/long/adapters/strangers.py`` prints a row for each: its verdict, the cause and the fix that were printed,
whether they are the answer's, and whether ``initcheck fix`` makes of it something that holds; with names behind it,
these rows; ``--fix`` asks for the fixes too. Nineteen are right. The answer of a wrong one is the claim that
must fail and words of the cause.

Three answers were changed after the first run: ``all_of_them`` raises at every layer that it could be given and is
refused with that reason; ``lecun_of_channels`` and ``ScaledNormalByOutputs`` are right of what they may be meant for
(matrices; a start that keeps gradients), which is what is assumed, and said.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import sys
import tempfile
import time
from pathlib import Path

from initcheck.doors.cli import main

Answer = tuple[str, str] | None
HOLDS = None
_SAID = {"refused": 2, "assumed": 0}
FOLDER = Path(__file__).parent
# of a target: HOLDS, or the claim that fails and what its cause says in any words of these; or what is said where it is
# refused, or held to something that is assumed
ANSWERS: dict[str, Answer] = {
    "strangers_numpy.py:glorot_uniform": HOLDS,
    "strangers_numpy.py:glorot_by_its_variance": ("output-variance-near-one", r"0\.66|uniform.*sqrt|1/3|sqrt\(3\)"),
    "strangers_numpy.py:conv_filters": HOLDS,
    "strangers_numpy.py:conv_filters_by_channels": ("output-variance-near-one", r"position|receptive|kernel"),
    "strangers_numpy.py:dense_variance_as_std": ("output-variance-near-one", r"square root"),
    "strangers_numpy.py:Affine": HOLDS,
    "strangers_numpy.py:orthonormal": HOLDS,
    "strangers_numpy.py:orthonormal_of_the_tall": ("returns-the-shape-asked", r"wide|shape|\("),
    "strangers_numpy.py:orthonormal_raw": ("haar-distributed", r"sign"),
    "strangers_numpy.py:truncated": HOLDS,
    "strangers_numpy.py:truncated_and_left": ("output-variance-near-one", r"truncat|0\.774"),
    "strangers_numpy.py:reproducible_layer": ("calls-are-independent", r"seed"),
    "strangers_numpy.py:half_the_inputs": ("output-variance-near-one", r"2 \* |integer|half|//|floor"),
    "strangers_numpy.py:centred_columns": ("output-variance-near-one", r"mean|cent|sum to|fan_in - 1|zero"),
    "strangers_torch.py:weights_init": HOLDS,
    "strangers_torch.py:weights_init_tanh_gain": ("output-variance-near-one", r"tanh"),
    "strangers_torch.py:all_of_them": ("refused", r"fills a vector, a bias perhaps"),
    "strangers_torch.py:Conv1D": HOLDS,
    "strangers_torch.py:Conv1DByItsHelper": ("output-variance-near-one", r"fan_out|swapped|outputs"),
    "strangers_torch.py:grouped_conv": HOLDS,
    "strangers_torch.py:grouped_conv_of_all": ("output-variance-near-one", r"group"),
    "strangers_torch.py:NoisyLinear": ("output-variance-near-one", r"uniform on"),
    "strangers_torch.py:fixup_like_": HOLDS,
    "strangers_torch.py:unit_energy_": ("survives-its-precision", r"float16|overflow"),
    "strangers_torch.py:video_kernel_": HOLDS,
    "strangers_torch.py:video_kernel_without_time_": ("output-variance-near-one", r"position|axis|kernel|receptive"),
    "strangers_torch.py:Attention": HOLDS,
    "strangers_torch.py:AttentionFused": ("output-variance-near-one", r"3 blocks|stored"),
    "strangers_jax.py:lecun": HOLDS,
    "strangers_jax.py:lecun_of_channels": ("assumed", r"assumed: .*dense shapes only"),
    "strangers_jax.py:he_uniform": HOLDS,
    "strangers_jax.py:he_in_float32": ("returns-the-dtype-asked", r"float32"),
    "strangers_jax.py:normal_of_a_key": ("calls-are-independent", r"key|seed"),
    "strangers_jax.py:HeadProjection": HOLDS,
    "strangers_jax.py:HeadProjectionByDefault": ("output-variance-near-one", r"head|4|counts|stored"),
    "strangers_jax.py:Affine": HOLDS,
    "strangers_jax.py:AffineOfPositives": ("zero-mean", r"\[0|positive|one sign"),
    "strangers_jax.py:Gated": HOLDS,
    "strangers_jax.py:GatedOfOneKey": ("entries-are-independent", r"gate.*value|equal|same"),
    "strangers_keras.py:ScaledNormal": HOLDS,
    "strangers_keras.py:ScaledNormalByOutputs": ("assumed", r"assumed: .*fan=fan_out"),
    "strangers_keras.py:RowsOfUnits": HOLDS,
    "strangers_keras.py:RowsOfUnitsLecun": ("output-variance-near-one", r"swap|fan_out|output"),
    "strangers_keras.py:Bottleneck": HOLDS,
}


def said(*words: str) -> tuple[object, str]:
    """The exit code of the command and what it printed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            code: object = main(list(words))
        except SystemExit as end:
            code = end.code
    return code, out.getvalue()


def row(name: str, answer: Answer, fixes: bool, options: list[str]) -> tuple[bool, bool | None, bool | None]:
    """Print one; whether verdict, cause and fix are what they must be, None where none is due."""
    target = f"{FOLDER / name}"
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "report.json"
        code, text = said(target, "--json", str(record), *options)
        failing = []
        if record.exists():
            report = json.loads(record.read_text())
            failing = [r["claim"] for r in report["results"] if r["verdict"] == "FAILS"]
    took = time.process_time() - began
    right = code == 0 and not failing if answer is HOLDS else answer[0] in failing
    cause = fixed = None
    if answer is not HOLDS and answer[0] in _SAID:
        right = code == _SAID[answer[0]] and re.search(answer[1], text) is not None
    elif answer is not HOLDS:
        cause = re.search(answer[1], "\n".join(re.findall(r"^ *(?:cause|\S.*FAILS)(.*)$", text, re.M))) is not None
        if fixes and right:
            fix_code, repair = said("fix", target, *options)
            fixed = fix_code == 0 and "proven" in repair
            text += "\n--- fix: exit " + str(fix_code) + "\n" + repair
    marks = {True: "right", False: "WRONG", None: "-"}
    print(f"== {name}  verdict {marks[right]}  cause {marks[cause]}  fix {marks[fixed]}  exit {code}  {took:.1f} CPU s")
    print(text.replace(str(FOLDER) + "/", ""), flush=True)
    return right, cause, fixed


def judged(answers: dict[str, Answer]) -> None:
    """Print the rows that the command line asks for, and how many are as answered."""
    asked = [word for word in sys.argv[1:] if not word.startswith("--")]
    options = [word for word in sys.argv[1:] if word.startswith("--profile=")]
    rows = [
        row(name, answer, "--fix" in sys.argv, options)
        for name, answer in answers.items()
        if not asked or any(word in name for word in asked)
    ]
    for column, what in enumerate(("verdict", "cause", "fix")):
        known = [r[column] for r in rows if r[column] is not None]
        print(f"{what}: {sum(known)} of {len(known)} as answered")


if __name__ == "__main__":
    judged(ANSWERS)
