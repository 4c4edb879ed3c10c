"""Text and date expressions with Pathway."""

from pathlib import Path

import pathway as pw


class Line(pw.Schema):
    at: str
    message: str


def run(inputs: Path, output: Path) -> None:
    lines = pw.io.csv.read(inputs / "log.csv", schema=Line, mode="static")
    parsed = lines.select(
        at=lines.at.dt.strptime("%Y-%m-%d %H:%M:%S"),
        text=lines.message.str.strip().str.lower().str.replace("example.", ""),
    )
    told = parsed.select(
        month=parsed.at.dt.strftime("%Y-%m"),
        kind=pw.if_else(parsed.text.str.startswith("error"), "error", "other"),
        letters=parsed.text.str.len() + parsed.text.str.find("on"),
        hours=parsed.at.dt.hour() + (parsed.at - parsed.at.dt.floor("1D")).dt.minutes() // 60,
    )
    result = told.groupby(told.month, told.kind).reduce(
        told.month,
        told.kind,
        n=pw.reducers.count(),
        letters=pw.reducers.sum(told.letters),
        hours=pw.reducers.sum(told.hours),
    )
    pw.io.csv.write(result, output / "result.csv")
    pw.run(monitoring_level=pw.MonitoringLevel.NONE)
