"""Documents that an org sends, made by hand, and an org that sends them."""
