"""The OAuth and OpenID Connect endpoints that programs call: discovery, keys, tokens, userinfo, logout."""
