"""Sites unlike the demo, made by `startproject` or run in their own process (`walk`)."""
