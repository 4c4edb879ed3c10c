"""Reduces a `result.csv` to a number that does not depend on row order, run with DuckDB's interpreter.

    digest.py FILE COLUMNS_JSON

A file with columns `time` and `diff` is a stream of changes: each row counts `diff` times, so that a stream
and a plain table of the same content have the same digest. Floating-point columns are compared after rounding
to 9 significant digits.
"""

import json
import sys

import duckdb


def main() -> None:
    path, columns = sys.argv[1], json.loads(sys.argv[2])
    with open(path, encoding="utf-8") as file:
        header = [name.strip().strip('"') for name in file.readline().rstrip("\n").split(",")]
    types = {name: columns.get(name, "BIGINT" if name in ("time", "diff") else "VARCHAR") for name in header}
    missing = set(columns) - set(header)
    if missing:
        raise SystemExit(f"{path} lacks the columns {sorted(missing)}; it has {header}")
    weight = "diff" if "diff" in header and "diff" not in columns else "1"

    def comparable(name: str) -> str:
        if types[name] == "DOUBLE":
            return f"printf('%.9g', \"{name}\")"
        return f'"{name}"'

    hashed = ", ".join(comparable(name) for name in columns)
    query = f"""
        SELECT sum({weight})::BIGINT, sum(hash({hashed})::HUGEINT * {weight})::VARCHAR
        FROM read_csv(?, header = true, quote = '"', escape = '"', columns = {types})
    """
    rows, digest = duckdb.execute(query, [path]).fetchone()
    print(json.dumps({"rows": rows, "digest": digest}))


if __name__ == "__main__":
    main()
