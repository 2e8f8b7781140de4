"""Full-text search on PostgreSQL: documents, queries, rankers, pages."""
