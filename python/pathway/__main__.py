"""`python -m pathway` is the `pathway` command."""

from pathway.cli import main

main(prog_name="pathway")
