"""Sets up the org for this site: shows what would change, records every change, and can undo it.

Reading order: ``desired`` (what the org's documents should say), ``plan`` (the calls from the current documents to
those; pure), ``diff`` (a change in words), ``journal`` (what was done, on disk), ``apply`` (making and undoing changes;
the I/O).
"""
