"""One build of a model as a record: what was written, from which law, by whom."""
