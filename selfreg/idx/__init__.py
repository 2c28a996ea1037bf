"""Okta's Identity Engine protocol ("IDX"), as a client. No Django anywhere below this folder."""
