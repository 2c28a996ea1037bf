"""What operators see: log lines (``log``), metrics (``metrics``) and traces (``traces``). None of them holds a secret,
an address or anything that was typed.

``events`` is what the app calls; ``okta`` watches the calls to the org. ``metrics`` needs prometheus-client and
``traces`` the OpenTelemetry API; without these packages they do nothing.
"""
