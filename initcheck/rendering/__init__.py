"""One reader of `Report` each: a rendering is a pure function of the report and asks nothing else."""
