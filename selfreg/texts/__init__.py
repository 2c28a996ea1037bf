"""Every sentence a visitor reads, by key: ``messages``, ``labels``, ``endings``, ``errors``, ``password_rules``."""
