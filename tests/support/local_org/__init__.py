"""Around the local org: a client of its protocol, a service that its hooks call, a security key."""
