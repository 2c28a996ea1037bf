"""What is set wrong, here or in the org, found out without creating anybody.

Reading order: ``findings`` (everything that can be wrong, as a table), ``evidence`` (what is known), ``asking`` (how it
becomes known; all I/O), then one pure module per subject that reads the evidence: ``issuer``, ``grants``, ``uris``,
``sign_up``, ``assignment``, ``authenticators``, ``form_fields``, ``network``, ``this_side``. ``examination`` joins
them; ``retold`` translates what was kept of one.
"""
