"""How each step looks in the answer to an IDX request (docs/protocol.md, sections 3, 4 and 6)."""
