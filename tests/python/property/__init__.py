"""Property tests: random histories of changes through each operator, against one static run."""
