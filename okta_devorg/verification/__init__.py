"""Codes and passwords: sending and checking codes, checking passwords, setting new ones, for IDX and the pages."""
