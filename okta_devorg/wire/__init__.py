"""How the org talks HTTP: Ion documents, replies, error answers, request values, identifiers and request guards."""
