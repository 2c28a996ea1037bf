"""An OpenID provider that lies, and the lies it can tell."""
