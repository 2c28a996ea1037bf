"""`make drill`: causes of trouble happen to a site as it is shipped, and docs/runbook.md has to tell which it is.

`runbook` reads the table of that page, `dashboard` asks a Prometheus what the panels of the shipped dashboard show,
`logs` reads the log, `causes` makes the trouble, `running` starts what is needed, and `__main__` is the drill.
"""
