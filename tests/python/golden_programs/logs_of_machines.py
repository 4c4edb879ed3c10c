"""Logs of machines: parsing, times, json, errors."""

from blocks import program, show

import pathway as pw


def lines():
    return pw.debug.table_from_rows(
        pw.schema_from_types(no=int, line=str),
        [
            (1, "2024-03-01T10:00:00 web-1 INFO started in 35 ms"),
            (2, "2024-03-01T10:00:05 web-2 WARN slow query 1200 ms"),
            (3, "2024-03-01T10:01:10 web-1 ERROR timeout after 30000 ms"),
            (4, "garbage"),
            (5, "2024-03-01T11:30:00 db-1 INFO checkpoint 77 ms"),
        ],
    )


def split(line: str) -> list[str]:
    return line.split(" ", 3)


@program
def lines_become_records():
    t = lines()
    parts = t.select(t.no, parts=pw.apply(split, t.line))
    print(parts.schema)
    good = parts.filter(pw.apply_with_type(len, int, parts.parts) == 4)
    records = good.select(
        good.no,
        at=good.parts[0].dt.strptime("%Y-%m-%dT%H:%M:%S"),
        host=good.parts[1],
        level=good.parts[2].str.lower(),
        ms=good.parts[3].str.slice(0, -3),
    )
    show(records)
    by_hour = (
        records.with_columns(hour=records.at.dt.floor("1h"))
        .groupby(pw.this.hour, pw.this.host)
        .reduce(
            pw.this.hour,
            pw.this.host,
            n=pw.reducers.count(),
            last=pw.reducers.max(pw.this.at),
            levels=pw.reducers.sorted_tuple(pw.this.level),
        )
    )
    show(by_hour)
    show(
        by_hour.select(
            pw.this.host,
            when=pw.this.hour.dt.strftime("%d.%m.%Y %H Uhr"),
            minutes=(pw.this.last - pw.this.hour).dt.minutes(),
            day=pw.this.hour.dt.weekday(),
        )
    )


@program
def numbers_in_lines():
    t = lines()
    t = t.with_columns(
        ms=pw.apply_with_type(lambda s: s.split()[-2] if s.endswith(" ms") else None, str | None, t.line)
    )
    t = t.with_columns(ms=pw.require(pw.unwrap(t.ms).str.parse_int(), t.ms))
    show(t.without("line"))
    known = t.filter(t.ms.is_not_none())
    show(
        known.reduce(
            total=pw.reducers.sum(known.ms),
            mean=pw.reducers.avg(known.ms),
            worst=pw.reducers.argmax(known.ms, known.no),
        )
    )


@program
def lines_with_errors():
    t = lines()
    parsed = t.select(
        t.no, ms=t.line.str.slice(-8, -3).str.strip().str.parse_int(), part=pw.apply(split, t.line)[1]
    )
    show(parsed, terminate_on_error=False)
    show(parsed.remove_errors(), terminate_on_error=False)
    show(
        parsed.select(parsed.no, ms=pw.fill_error(parsed.ms, -1), part=pw.fill_error(parsed.part, None)),
        terminate_on_error=False,
    )
    show(
        parsed.reduce(n=pw.reducers.count(), ok=pw.reducers.count(parsed.ms), s=pw.reducers.sum(parsed.ms)),
        terminate_on_error=False,
    )


def events():
    return pw.debug.table_from_rows(
        pw.schema_from_types(id_=int, body=pw.Json),
        [
            (
                1,
                {
                    "user": {"name": "ann", "tags": ["a", "b"]},
                    "amount": 10,
                    "at": "2024-03-01T10:00:00.000000+0100",
                },
            ),
            (
                2,
                {"user": {"name": "bob", "tags": []}, "amount": 2.5, "at": "2024-03-01T12:00:00.500000+0000"},
            ),
            (3, {"user": {"name": "cid"}, "amount": None, "extra": {"x": [1, {"y": 2}]}}),
        ],
    )


@program
def documents_become_columns():
    e = events()
    show(
        e.select(
            e.id_,
            name=e.body["user"]["name"].as_str(),
            amount=e.body["amount"].as_float(),
            tags=e.body["user"].get("tags", {}),
            first=e.body["user"]["tags"][0].as_str(default="none"),
            y=e.body["extra"]["x"][1]["y"].as_int(default=0),
            upper=e.body["user"]["name"].as_str(unwrap=True).str.upper(),
        )
    )
    show(
        e.select(
            e.id_, at=e.body.get("at"), has=e.body.get("at").is_not_none(), text=e.body["extra"].to_string()
        )
    )


@program
def tags_one_by_one():
    e = events()
    tags = e.select(e.id_, tag=e.body["user"]["tags"]).filter(
        pw.apply_with_type(lambda j: isinstance(j.value, list), bool, pw.this.tag)
    )
    flat = tags.flatten(pw.this.tag)
    show(flat.select(flat.id_, tag=flat.tag.as_str()))
    show(flat.groupby(flat.id_).reduce(flat.id_, n=pw.reducers.count()))


@program
def fields_with_a_schema():
    class Body(pw.Schema):
        amount: float
        at: pw.DateTimeUtc
        user: pw.Json

    e = events().filter(pw.this.body.get("at").is_not_none())
    fields = pw.utils.col.unpack_col_dict(e.body, schema=Body)
    show(e.select(e.id_) + fields)
    show(fields.select(local=fields.at.dt.to_naive_in_timezone("Europe/Warsaw")))


@program
def records_built_as_json():
    t = lines().select(pw.this.no, words=pw.apply_with_type(lambda s: len(s.split()), int, pw.this.line))

    @pw.udf
    def pack(no: int, words: int) -> pw.Json:
        return pw.Json({"no": no, "words": {"n": words, "many": words > 5}})

    j = t.select(j=pack(t.no, t.words))
    show(j)
    show(
        j.select(
            n=j.j["words"]["n"].as_int(),
            many=j.j["words"]["many"].as_bool(),
            gone=j.j["x"].as_int(default=-1),
        )
    )
    show(
        j.select(many=j.j["words"]["many"].as_bool(unwrap=True))
        .groupby(pw.this.many)
        .reduce(pw.this.many, n=pw.reducers.count())
    )
