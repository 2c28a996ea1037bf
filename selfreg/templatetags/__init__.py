"""Template tags for a site's own pages."""
