"""Who gets what: users, devices, preferences and outcomes, in PostgreSQL.

`schema.py` makes the tables, `seed.py` fills them with invented people, `people.py` reads them.
"""
