"""`gain()` and `initcheck gain ACT`: which gain an activation needs, and how deep a network of it reaches."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from initcheck.doors.answers.answer_file import write, write_json
from initcheck.networks.mean_field import MeanField
from initcheck.rendering.gain_lines import GainReport, customary_gains
from initcheck.rendering.html import svg
from initcheck.rendering.html.gain_page import gain_page
from initcheck.targets.activations import activation_meant


def gain(activation: Any) -> GainReport:
    """Find the gain of an activation, and what becomes of signal and gradient at it.

    >>> import initcheck
    >>> found = initcheck.gain("gelu")
    >>> round(found.gain, 6), found.verdict
    (1.53353, 'ATTAINABLE')
    >>> initcheck.gain(lambda z: z**2 / (1 + z**2)).verdict
    'UNATTAINABLE'

    Args:
        activation: a name such as ``leaky_relu(0.2)`` or ``swiglu``, a target text such as ``pkg.mod:act`` or
            ``torch.nn.GELU(approximate="tanh")``, or a function of NumPy, PyTorch, JAX or Keras: of one array, or a
            gate of two.

    Raises:
        UsageError: there is no such activation, or it is not elementwise, random, or not finite.

    Source: Poole et al. 2016 (arXiv 1606.05340); Schoenholz et al. 2017 (arXiv 1611.01232); He et al. 2015, eq. 10.
    """
    phi = activation_meant(activation)
    field = MeanField(phi)
    rows = {}
    if field.finite:
        rows["keeps the signal (forward)"] = field.survival(field.forward_gain)
        if phi.m2_prime > 0:
            rows["keeps the gradient (backward)"] = field.survival(field.backward_gain)
        for what, customary in customary_gains(phi.name, phi.parameter).items():
            rows[what] = field.survival(customary)
    attainable = field.finite and field.keeps_both
    return GainReport(str(phi), field, rows, "ATTAINABLE" if attainable else "UNATTAINABLE", field.reason)


def gain_command(words: Sequence[str]) -> int:
    """Print the gain of each activation; as JSON or as a page where that was asked for."""
    parser = argparse.ArgumentParser(
        prog="initcheck gain",
        description="Say which gain an activation needs, and for how many layers signal and gradient last.",
        epilog="ACT is a name (gelu, leaky_relu(0.2), snake(a=2), swiglu), pkg.mod:act, acts.py:act(beta=2), or"
        " torch.nn.GELU(approximate='tanh').",
    )
    parser.add_argument("activations", nargs="+", metavar="ACT")
    parser.add_argument("--json", metavar="FILE", help="write the figures there as JSON ('-' prints them)")
    parser.add_argument("--html", metavar="FILE", help="write one page with pictures there")
    arguments = parser.parse_args(words)
    if arguments.html:
        svg.require()
    found = [gain(text) for text in arguments.activations]
    if arguments.json:
        write_json(found, arguments.json)
    if arguments.html:
        write("html", gain_page(found), arguments.html)
    if "-" not in (arguments.json, arguments.html):
        print("\n\n".join(str(f) for f in found))
    return 0
