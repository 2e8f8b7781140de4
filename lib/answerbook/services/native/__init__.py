"""The native engine: RabbitMQ, Kafka and PostgreSQL as private processes, without Docker."""
