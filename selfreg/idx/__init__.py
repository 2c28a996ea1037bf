"""A client of Okta's Identity Engine ("IDX") protocol. Nothing in this folder imports Django."""
