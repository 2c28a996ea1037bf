"""The HTML pages of the org: those that Okta hosts for visitors, and those that developers look at."""
