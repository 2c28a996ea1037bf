"""Sets the org up for this site: what is to change is shown first, every change is written down and can be taken back.

Reading order: ``wanted`` (what the org should say), ``plan`` (the changes from what it says to that; pure),
``difference`` (a change in words), ``ledger`` (what was done, on disk), ``carry_out`` (doing and undoing; the I/O).
"""
