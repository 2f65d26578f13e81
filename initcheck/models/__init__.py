"""Whole models: what a built one starts from, judged by where its weights come from and what it does with a batch.

``frameworks`` builds, with ``provenance`` and ``lineage`` watching, and makes a record of each build (``builds``);
``batches``, ``signals`` and ``living`` run it; a ``factory`` keeps what was built and measured, ``rules`` judge it, and
``questions`` are what the claims of ``properties`` ask. ``ranks`` has the models that several processes build.
"""
