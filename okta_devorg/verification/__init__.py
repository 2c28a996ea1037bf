"""Sending and checking codes."""
