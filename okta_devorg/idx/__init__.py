"""The Identity Engine (IDX) endpoints.

`interact` starts a transaction. `endpoints` lists the endpoints that move it from step to step, `serving` answers
them; `steps` is what each endpoint does, `documents` how each step looks in the answer.
"""
