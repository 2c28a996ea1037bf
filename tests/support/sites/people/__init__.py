"""An app with a user model: `SITE_USER` names which one."""
