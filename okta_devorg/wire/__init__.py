"""Encodings: Ion documents, JSON replies, error bodies, identifiers, HTML helpers."""
