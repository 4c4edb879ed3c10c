"""The benchmark harness: environments, data, fresh pinned processes, comparison of results, report.

Standard library only, so that `python3 bench/run.py` works before anything is installed. The order in which
to read it: `jobs` (what is run), `engines` (who runs it), `measure` (one process), `compare` (do the results
agree), `report` (the table).
"""
