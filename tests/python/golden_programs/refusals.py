"""What operations refuse, and how: unknown columns, other tables, wrong kinds and types of arguments."""

import datetime

from blocks import program

import pathway as pw
from pathway.internals.parse_graph import G

NAMES = {"pw": pw, "R": pw.reducers, "datetime": datetime}


def tell(lines):
    """For each line what it makes, or the exception that it raises, when it is built or when it runs."""
    for line in lines.strip().splitlines():
        G.clear()
        t = pw.debug.table_from_markdown("""
          | shop | n | o | f
        1 | A    | 2 | 1 | 1.5
        2 | B    | 5 |   | 2.5
        """)
        u = pw.debug.table_from_markdown("""
          | v | w
        7 | 1 | x
        """)
        try:
            made = eval(line, {**NAMES, "t": t, "u": u})
        except Exception as error:
            print(line, "->", type(error).__name__)
            continue
        print(line, "->", *(after(made, t)))


def after(made, t):
    """What is known about a table or an expression."""
    yield "accepted"
    try:
        if isinstance(made, pw.Table):
            yield dict(made.typehints())
            pw.debug.table_to_dicts(made)
        elif isinstance(made, pw.ColumnExpression):
            yield t.select(x=made).schema["x"].dtype
    except Exception as error:
        yield type(error).__name__


@program
def refused_references_to_columns():
    tell(r"""
t.nope
t["nope"]
t[["n","nope"]]
t[5]
t[u.v]
t.C.nope
t.n.nope
t.n.str.nope
pw.this()
pw.this.join
pw.this.id
pw.this["join"]
t.slice.nope
t.slice["nope"]
t.slice.without("nope")
t.slice.without(u.v)
t.slice.rename({"nope":"x"})
t.slice[["n","nope"]]
t.slice.select
t.slice[u.v]
t.slice[pw.left.n]
len(t)
t==t.copy()
t.schema()
t.nope()
""")


@program
def refused_columns_that_are_selected():
    tell(r"""
t.select(u.v)
t.select(t.nope)
t.select(pw.this.nope)
t.select(pw.left.n)
t.select(5)
t.select("n")
t.select(None)
t.select(t)
t.select(x=t)
t.select(x=pw.this)
t.select(x=object())
t.select(x=len)
t.select(x=int)
t.select(x={1})
t.select(x=1j)
t.select(t.id)
t.select(id=t.n)
t.select(t.n,t.n)
t.select(t.n,n=1)
t.with_columns(5)
t.with_columns("n")
t.with_columns(id=1)
t.with_columns(u.v)
t.without("zz")
t.without(t.zz)
t.without("n","n")
t.without(u.v)
t.rename_columns(a="zz")
t.rename_columns(a=5)
t.rename_columns(a=t.n,b=t.n)
t.rename_columns(a=u.v)
t.rename({"zz":"a"})
t.rename({"n":5})
t.rename(5)
t.rename_by_dict({"zz":"a"})
t.rename_by_dict(5)
t.rename_by_dict({"n":"shop"})
t.with_prefix(5)
t.with_suffix(None)
t.cast_to_types(zz=int)
t.cast_to_types(n="int")
t.cast_to_types(n=set)
t.update_types(zz=int)
t.update_types(n=str)
t.update_types(n=set)
t.update_types(n=5)
t.update_id_type(int)
t.update_id_type(5)
""")


@program
def refused_expressions():
    tell(r"""
t.select(x=datetime.date(2020,1,1))
t.select(x=t.ix_ref(u.v).n)
t.select(x=u.ix(t.id,context=u).v)
pw.apply(5,t.n)
pw.apply(len)
pw.apply("x",t.n)
pw.apply(len,t)
t.select(x=pw.apply(len,pw.this))
pw.apply_with_type(len,5,t.n)
pw.apply_with_type(len,set,t.n)
pw.apply_async(5,t.n)
pw.udf(5)
pw.udf(len,zz=1)
pw.udf(len,deterministic="x")
pw.udf(len)()
pw.coalesce()
t.select(x=pw.coalesce(t.n,"x"))
t.select(x=pw.if_else(t.n,1,2))
t.select(x=pw.if_else(True,1,"x"))
t.select(x=pw.if_else(t.n>1,t.n))
pw.require()
pw.unwrap()
pw.fill_error(t.n)
pw.cast(int)
pw.cast(5,t.n)
pw.cast(set,t.n)
t.select(x=pw.declare_type(str,t.n))
pw.declare_type(5,t.n)
t.select(x=t.n.str.lower())
t.select(x=t.shop.str.lower(5))
t.select(x=t.shop.str.nope())
t.select(x=t.shop.str.count())
t.select(x=t.shop.str.replace("a"))
t.select(x=t.shop.str.replace(1,2))
t.select(x=t.shop.dt.year())
t.select(x=t.shop.dt.strptime(5))
t.select(x=t.shop.dt.strptime(t.shop))
t.select(x=t.n.dt.from_timestamp("zz"))
t.select(x=t.n.dt.from_timestamp(t.shop))
t.select(x=t.n.dt.to_duration("zz"))
t.select(x=t.n.num.round("x"))
t.select(x=t.shop.num.abs())
t.select(x=t.n.get(0))
t.select(x=t.n[0])
t.select(x=t.n["a"])
t.select(x=t.shop[0])
t.select(x=pw.make_tuple(t.n)["a"])
t.select(x=pw.make_tuple(t.n)[5])
t.select(x=pw.make_tuple(t.n)[0:1])
t.select(x=t.n.as_int())
t.select(x=t.n and 1)
t.select(x=not t.n)
t.select(x=t.n in [1])
t.select(x=1<t.n<3)
t.select(x=len(t.shop))
t.select(x=float(t.n))
t.select(x=int(t.n))
t.select(x=round(t.f))
t.select(x=+t.n)
t.select(x=~t.n)
t.select(x=-t.shop)
t.select(x=t.n+None)
t.select(x=t.n+"a")
t.select(x=t.n+[1])
t.select(x=t.n+{"a":1})
t.select(x=t.o+1)
t.select(x=t.o>1)
t.select(x=t.o==1)
t.select(x=t.n=="a")
t.select(x=t.n==None)
t.select(x=t.n is None)
t.select(x=t.n&t.f)
t.select(x=t.n@t.n)
t.select(x=t.pointer_from(u.v))
t.select(x=t.pointer_from("a",5))
""")


@program
def refused_groups_and_reducers():
    tell(r"""
t.groupby(5)
t.groupby("n")
t.groupby(t.n+1)
t.groupby(t.n,zz=1)
t.groupby(t.n,id=t.n)
t.groupby(t.n,id=t.id)
t.groupby(t.n,t.o,id=t.id)
t.groupby(id=5)
t.groupby(t.n,instance=5)
t.groupby(t.n,instance="n")
t.groupby(t.n,sort_by=5)
t.groupby(t.n,sort_by="n")
t.groupby(t.n).reduce(t.o)
t.groupby(t.n).reduce("n")
t.groupby(t.n).reduce(5)
t.groupby(t.n).reduce(x=R.sum(u.v))
t.groupby(t.n).reduce(x=R.sum(t.shop))
t.groupby(t.n).reduce(x=R.sum(t.o))
t.groupby(t.n).reduce(x=R.avg(t.shop))
t.groupby(t.n).reduce(R.sum(t.n))
t.groupby(t.n).reduce(R.any(t.o))
t.groupby(t.n).reduce(id=t.n)
t.groupby(t.n).reduce(pw.this.nope)
t.groupby(t.n).select(t.n)
t.groupby(t.n).nope
t.groupby(t.n)["nope"]
t.reduce(t.n)
t.reduce(x=t.n)
t.reduce(5)
R.sum()
R.sum("n")
t.reduce(x=R.sum("n"))
R.min(t.n,t.o)
R.stateful_single(5)
t.reduce(x=R.ndarray(t.shop))
t.reduce(x=R.ndarray(t.o))
t.deduplicate()
t.deduplicate(value=t.n)
t.deduplicate(value=t.n,acceptor=5)
t.deduplicate(value=u.v,acceptor=max)
t.deduplicate(t.n,acceptor=max)
t.deduplicate(value=t.n,instance=u.v,acceptor=max)
t.deduplicate(value="n",acceptor=max)
pw.groupby(5)
""")


@program
def refused_joins():
    tell(r"""
t.join(u,5)
t.join(u,"n")
t.join(u,t.n)
t.join(u,t.n==5)
t.join(u,t.n!=u.v)
t.join(u,(t.n==u.v)&(t.n==u.v))
t.join(u,u.v==t.n)
t.join(u,t.n+1==u.v)
t.join(u,t.shop==u.v)
t.join(u,t.n==u.v,how="left")
t.join(u,t.n==u.v,how=5)
t.join(u,t.n==u.v,id=5)
t.join(u,t.n==u.v,id=t.n)
t.join(u,t.n==u.v,id="n")
t.join_outer(u,t.n==u.v,id=t.id)
t.join_left(u,t.n==u.v,id=u.id)
t.join_left(u,t.n==u.v,how=pw.JoinMode.LEFT)
t.join(u,t.n==u.v,zz=1)
t.join(t,t.n==t.n)
t.join(u,t.n==u.v,left_instance=t.n)
t.join(u,t.n==u.v,left_instance=5,right_instance=6)
t.join(u,pw.left.nope==pw.right.v)
t.join(u,pw.this.n==pw.right.v)
t.join(u,pw.right.v==pw.left.n)
t.join(u,t.n==u.v).select(t.nope)
t.join(u,t.n==u.v).select(pw.this.nope)
t.join(u,t.n==u.v).select(pw.left.v)
t.join(u,t.n==u.v).select("n")
t.join(u,t.n==u.v).select(t.copy().n)
t.join(u,t.n==u.v).filter(5)
t.join(u,t.n==u.v).filter(t.n)
t.join(u,t.n==u.v).groupby(t.n,zz=1)
t.join(u,t.n==u.v).reduce(t.n)
t.join(u,t.n==u.v).nope
t.join(u,t.n==u.v)["nope"]
""")


@program
def refused_sets_of_rows_and_ids():
    tell(r"""
t.filter(5)
t.filter(True)
t.filter(t.n)
t.filter("n")
t.filter(u.v>0)
t.filter(t.o>1)
t.filter(t.o.is_none()&1)
t.filter()
t.split(t.n)
t.split(5)
t.intersect(5)
t.intersect()
t.difference()
t.restrict(5)
t.restrict(u)
t.with_universe_of(5)
t.with_universe_of(u)
t.with_id(t.n)
t.with_id(5)
t.with_id(t.id)
t.with_id(t.pointer_from(t.n))
t.with_id(u.id)
t.with_id_from()
t.with_id_from(u.v)
t.with_id_from(5)
t.with_id_from(t.n,instance=t.shop)
t.with_id_from("n")
t.concat(u)
t.concat(t)
t.concat(5)
t.concat()
t.concat_reindex(u)
t.concat_reindex(5)
t.concat_reindex(t.select(t.shop,n="x",o=t.o,f=t.f))
t.update_cells(u)
t.update_cells(5)
t.update_cells(t.filter(t.n>2).select(zz=1))
t.update_cells(t.filter(t.n>2).select(n="x"))
t<<5
t<<u
t.update_rows(u)
t.update_rows(5)
t.update_rows(t.filter(t.n>2).with_columns(n="x"))
t+u
t+t
5+t
t.copy(5)
pw.Table.empty(a=5)
pw.Table.from_columns()
pw.Table.from_columns(5)
pw.Table.from_columns(t.n,u.v)
pw.Table.from_columns(t.n,t.n)
pw.universes.promise_are_equal(t,5)
pw.universes.promise_is_subset_of(t,5)
t.promise_universes_are_equal(u)
t.promise_universe_is_subset_of(5)
""")


@program
def refused_other_operations():
    tell(r"""
t.ix(t.n)
t.ix(u.v)
t.ix(u.id)
t.ix(t.id,zz=1)
t.ix(t.id,context=5)
t.ix(t.id,context=u)
t.ix_ref(u.v)
t.flatten(t.n)
t.flatten("n")
t.flatten(5)
t.flatten(t.o)
t.flatten(t.shop,origin_id=5)
t.flatten(t.shop,origin_id="n")
t.flatten(u.w)
t.sort()
t.diff(t.n)
t.diff(t.n,t.shop)
t.diff("n",t.f)
t.diff(t.n,5)
t.diff(t.n,u.v)
t.diff(t.n,"f")
t.interpolate("n",t.f)
t.interpolate(t.n,"f")
t.interpolate(t.n,t.n)
t.interpolate(t.n,t.f,mode="linear")
t.interpolate(t.n,t.shop)
t.remove_errors(5)
t.await_futures(5)
t.to_stream("n")
t.stream_to_table(5)
t.stream_to_table(t.n)
t.from_streams()
t.assert_append_only(5)
t.forget(t.n)
t.forget("n",1)
t.buffer(t.n)
t.buffer(t.shop,1)
t.ignore_late(t.n,"x")
pw.iterate(5,t=t)
pw.iterate(lambda t:t,u=t)
pw.iterate(lambda t:t,t=5)
pw.iterate(lambda t:t.select(t.n),t=t)
pw.iterate(lambda t:t.filter(t.n>2),t=t)
pw.iterate(lambda t:t,iteration_limit=0,t=t)
pw.iterate(lambda t:t,iteration_limit="x",t=t)
pw.iterate(lambda t:dict(q=t),t=t)
pw.utils.col.unpack_col(t.n)
pw.utils.col.unpack_col(t.n,"a")
pw.utils.col.unpack_col(5,"a")
pw.utils.col.unpack_col_dict(t.n,schema=pw.schema_from_types(a=int))
pw.utils.col.apply_all_rows(fun=len,result_col_name="x")
pw.utils.col.apply_all_rows(t.n,u.v,fun=len,result_col_name="x")
pw.utils.filtering.argmax_rows(t,t.n)
pw.utils.filtering.argmax_rows(t,what=5)
pw.utils.filtering.argmax_rows(5,what=t.n)
pw.assert_table_has_schema(t,5)
pw.assert_table_has_schema(5,pw.schema_from_types(n=int))
pw.assert_table_has_schema(t,pw.schema_from_types(n=int),allow_superset=False)
t.windowby(5)
""")
