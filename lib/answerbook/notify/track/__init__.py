"""Writes what became of events and notifications to PostgreSQL: `answerbook notify track`."""
