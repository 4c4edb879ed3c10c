"""Reports of a shop: joins of groups, shares of totals, best rows, several levels."""

from blocks import program, show

import pathway as pw


class Order(pw.Schema):
    order_id: int = pw.column_definition(primary_key=True)
    customer: str
    product: str
    quantity: int
    price: float
    coupon: str | None


def orders():
    return pw.debug.table_from_rows(
        Order,
        [
            (1, "ann", "tea", 2, 3.5, None),
            (2, "bob", "nut", 5, 1.25, "SUMMER"),
            (3, "ann", "nut", 1, 1.25, "SUMMER"),
            (4, "cid", "tea", 7, 3.5, None),
            (5, "bob", "oil", 1, 12.0, "VIP"),
            (6, "dan", "tea", 1, 3.75, None),
        ],
    )


def customers():
    return pw.debug.table_from_markdown(
        """
        name | city   | level
        ann  | Oslo   | 1
        bob  | Lima   | 2
        cid  | Oslo   |
        eve  | Rome   | 3
        """
    )


@program
def revenue_by_city():
    o, c = orders(), customers()
    o = o.with_columns(total=o.quantity * o.price)
    by_customer = o.groupby(o.customer).reduce(
        o.customer, revenue=pw.reducers.sum(o.total), orders=pw.reducers.count()
    )
    by_city = (
        by_customer.join_left(c, pw.left.customer == pw.right.name)
        .select(pw.left.customer, pw.left.revenue, city=pw.coalesce(pw.right.city, "?"))
        .groupby(pw.this.city)
        .reduce(
            pw.this.city,
            revenue=pw.reducers.sum(pw.this.revenue),
            best=pw.this.ix(pw.reducers.argmax(pw.this.revenue)).customer,
            names=pw.reducers.sorted_tuple(pw.this.customer),
        )
    )
    show(by_city)


@program
def shares_of_products():
    o = orders()
    sold = o.groupby(o.product).reduce(o.product, n=pw.reducers.sum(o.quantity))
    total = sold.reduce(total=pw.reducers.sum(sold.n))
    shares = sold.select(
        *pw.this,
        share=(sold.n / total.ix_ref(context=sold).total).num.round(3),
        text=pw.this.product.str.title() + ": " + pw.cast(str, sold.n),
    )
    show(shares)
    show(shares.filter(shares.share > 0.2).select(pw.this.product, n=pw.this.text.str.len()))


@program
def customers_without_orders():
    o, c = orders(), customers()
    known = c.with_id_from(c.name)
    buying = o.groupby(o.customer).reduce(o.customer).with_id_from(pw.this.customer)
    show(known.difference(buying))
    show(known.intersect(buying).select(pw.this.name, pw.this.level))
    show(buying.difference(known))


@program
def orders_with_customers_by_key():
    o, c = orders(), customers()
    keyed = c.with_id_from(c.name)
    looked = o.select(
        o.order_id,
        who=keyed.ix_ref(o.customer, allow_misses=True).city,
        level=pw.coalesce(keyed.ix_ref(o.customer, allow_misses=True).level, -1),
    )
    show(looked)
    found = keyed.ix(keyed.pointer_from(o.customer), context=o, allow_misses=True)
    show(o.select(o.order_id, *found))


@program
def coupons():
    o = orders()
    with_coupon = o.filter(o.coupon.is_not_none())
    print(with_coupon.schema)
    with_coupon = o.select(*pw.this.without("coupon"), coupon=pw.coalesce(o.coupon, "none")).filter(
        pw.this.coupon != "none"
    )
    used = (
        with_coupon.groupby(with_coupon.coupon)
        .reduce(
            with_coupon.coupon,
            saved=pw.reducers.sum(with_coupon.price * 0.1),
            orders=pw.reducers.sorted_tuple(with_coupon.order_id),
        )
        .with_columns(saved=pw.this.saved.num.round(2), coupon=pw.this.coupon.str.lower())
    )
    show(used)
    flat = used.flatten(pw.this.orders, origin_id="origin")
    show(
        flat.select(
            order=pw.this.orders, same=pw.this.origin == used.pointer_from(pw.this.coupon.str.upper())
        )
    )


@program
def customers_ranked():
    o = orders()
    spent = o.groupby(o.customer).reduce(o.customer, spent=pw.reducers.sum(o.quantity * o.price))
    order = spent.sort(key=-spent.spent)
    ranked = spent + order
    first = ranked.filter(ranked.prev.is_none())
    show(first.select(first.customer, first.spent))
    show(
        ranked.select(
            ranked.customer,
            ahead=ranked.ix(ranked.prev, optional=True).customer,
            gap=pw.coalesce(ranked.ix(ranked.prev, optional=True).spent, ranked.spent) - ranked.spent,
        )
    )


@program
def prices_corrected():
    o = orders()
    fixes = pw.debug.table_from_markdown(
        """
        order_id | price
        2        | 1.5
        5        | 10.0
        """
    ).with_id_from(pw.this.order_id)
    fixes = fixes.promise_universe_is_subset_of(o)
    fixed = o.update_cells(fixes.select(fixes.price))
    show(fixed.select(fixed.order_id, fixed.price, before=o.price))
    show(o << fixes.without(fixes.order_id))
    late = pw.debug.table_from_rows(
        Order, [(6, "dan", "tea", 2, 3.75, None), (7, "eve", "oil", 1, 12.0, "VIP")]
    )
    show(o.update_rows(late).reduce(n=pw.reducers.count(), q=pw.reducers.sum(pw.this.quantity)))


@program
def pairs_of_customers_of_one_product():
    o = orders()
    p = o.copy()
    pairs = (
        o.join(p, o.product == p.product)
        .filter(o.customer < p.customer)
        .select(pw.this.product, first=o.customer, second=p.customer)
    )
    show(
        pairs.groupby(pairs.first, pairs.second).reduce(
            pairs.first, pairs.second, pw.reducers.any(pairs.product), n=pw.reducers.count()
        )
    )
