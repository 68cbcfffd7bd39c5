"""SELECT on the catalog: views over the instance, and a small evaluator of queries over them.

An evaluator of our own, and not a database behind it, because the types matter here: LSNs of 25
digits, uniqueidentifiers, sql_variants and the server's collation reach the client as a real
server sends them, and whatever is not simulated is refused by name.
"""
