"""Several machines on one: an nginx, two servers of the site, PostgreSQL and Redis, each in a network namespace of its
own where that is allowed. `machines` is the network, `data` the two databases, `proxy` the shipped nginx file, and
`running` puts them together.
"""
