"""A model that several processes build together: what each rank holds, and whether it is one model."""
