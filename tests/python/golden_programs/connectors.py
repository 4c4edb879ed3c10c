"""Files, subjects and subscriptions."""

import logging
import os
import pathlib
import tempfile
import time
import warnings

import pathway as pw

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)
folder = pathlib.Path(tempfile.mkdtemp())
(folder / "a.csv").write_text('k,v,w\n1,x,1.5\n2,"y,z",2\nq,bad,3\n4\n')
(folder / "b.jsonl").write_text('{"k":1,"v":"x"}\n{"k":"zz","v":"b"}\nnotjson\n{"v":"c"}\n{"k":5,"v":null}\n')
schema = pw.schema_from_types(k=int, v=str)


class Keyed(pw.Schema):
    k: int = pw.column_definition(primary_key=True)
    v: str = pw.column_definition(default_value="dd")


def show(table):
    print(table, table.is_append_only)
    pw.debug.compute_and_print(table, include_id=False)


show(pw.io.csv.read(folder / "a.csv", schema=schema, mode="static"))
show(pw.io.csv.read(str(folder / "a.csv"), schema=Keyed, mode="static"))
show(pw.io.jsonlines.read(folder / "b.jsonl", schema=schema, mode="static"))
show(pw.io.plaintext.read(folder, mode="static"))
show(pw.io.fs.read(folder / "*.csv", format="binary", mode="static"))
files = pw.io.csv.read(folder / "a.csv", schema=schema, mode="static", with_metadata=True)
show(files.select(files.k, size=files._metadata["size"].as_int()))
for wrong in [
    lambda: pw.io.csv.read(folder),
    lambda: pw.io.csv.read(folder, schema=schema, mode="foo"),
    lambda: pw.io.csv.read(folder, schema=schema, foo=1),
    lambda: pw.io.fs.read(folder, format="plaintext", schema=schema),
    lambda: pw.io.jsonlines.read(folder, schema=schema, json_field_paths={"z": "/a"}),
    lambda: pw.io.csv.read(5, schema=schema),
    lambda: pw.io.CsvParserSettings(delimiter=";;"),
    lambda: pw.io.csv.write(5, "x"),
    lambda: pw.io.fs.write(files, "a", "foo"),
    lambda: pw.io.csv.write(files, "q", sort_by=[pw.this.k]),
    lambda: pw.run(5),
    lambda: pw.run(debug=5),
]:
    try:
        wrong()
        print("accepted")
    except Exception as error:
        print(type(error).__name__)


class Sender(pw.io.python.ConnectorSubject):
    def run(self):
        self.next(k=1, v="a")
        self.next(k=2, v="b")
        self.commit()
        time.sleep(0.05)
        self.next(k=3, v="c")

    def on_stop(self):
        print("stopped")


class Deleting(pw.io.python.ConnectorSubject):
    def run(self):
        self.next(k=1, v="a")
        self.next(k=2, v="b")
        self.helper()

    def helper(self):
        self.delete(k=1, v="a")


class Upserting(pw.io.python.ConnectorSubject):
    def __init__(self):
        super().__init__(session_type="upsert")

    def run(self):
        self.next(k=1, v="a")
        self.next(k=1, v="b")
        self.next(k=2)
        self.commit()
        time.sleep(0.05)
        self.delete(k=2)


class Failing(pw.io.python.ConnectorSubject):
    def run(self):
        raise KeyError("w")


show(pw.io.python.read(Sender(), schema=schema))
show(pw.io.python.read(Deleting(), schema=Keyed))
show(pw.io.python.read(Upserting(), schema=Keyed))
for wrong in [
    lambda: pw.io.python.read(Upserting(), schema=schema),
    lambda: pw.io.python.read(Sender()),
    lambda: show(pw.io.python.read(Failing(), schema=schema)),
]:
    try:
        wrong()
        print("accepted")
    except Exception as error:
        print(type(error).__name__)
pw.internals.parse_graph.G.clear()
t = pw.debug.table_from_markdown("""
  | a | b | __time__ | __diff__
1 | 5 | x | 2        | 1
2 | 6 | y | 2        | 1
1 | 5 | x | 4        | -1
1 | 7 | x | 4        | 1
""")
out = pathlib.Path(os.environ.get("OUT", folder))
pw.io.csv.write(t, out / "t.csv", sort_by=[t.a])
pw.io.jsonlines.write(t, out / "t.jsonl", sort_by=[t.a])
pw.io.null.write(t)


def on_change(key, row, time, is_addition):
    print(key, row, time, is_addition)


pw.io.subscribe(
    t, on_change, on_time_end=lambda time: print("time", time), on_end=lambda: print("end"), sort_by=[t.a]
)
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
print((out / "t.csv").read_text(), (out / "t.jsonl").read_text())
