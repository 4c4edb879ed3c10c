"""Live data pipelines: describe tables and transformations once, run them over files or streams."""
