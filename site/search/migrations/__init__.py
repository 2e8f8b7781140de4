"""How the database got its tables."""
