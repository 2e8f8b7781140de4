"""Who gets what: users, devices, preferences and outcomes, in PostgreSQL."""
