"""A day in the life of a daemon, in virtual time."""
