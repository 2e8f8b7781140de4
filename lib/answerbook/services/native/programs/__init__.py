"""The programs that the native engine runs: found on this machine, or fetched, verified and kept.

    java(settings)      → the `java` executable
    kafka(settings)     → KafkaProgram(version, jars)
    nginx(settings)     → NginxProgram(version, binary, mime_types, libraries)
    postgres(settings)  → PostgresProgram(version, bin)
    rabbitmq(settings)  → RabbitmqProgram(version, server, path)
    spark(settings)     → the connectors that PySpark lacks, a class path

Each fetches once into `settings.programs_folder` (see `folder`), whole or not at all, and is quick
from then on; several processes may ask at once. Native recipes call these, `answerbook doctor`
calls `missing`. What jars and JRE are fetched is pinned (`pins`, `lock`).
"""

from answerbook.services.native.programs.inventory import is_fetched, missing
from answerbook.services.native.programs.jre import java
from answerbook.services.native.programs.kafka_jars import KafkaProgram, kafka
from answerbook.services.native.programs.nginx_server import NginxProgram, nginx
from answerbook.services.native.programs.postgres_binaries import PostgresProgram, postgres
from answerbook.services.native.programs.rabbitmq_server import RabbitmqProgram, rabbitmq
from answerbook.services.native.programs.spark_jars import spark

__all__ = [
    "KafkaProgram",
    "NginxProgram",
    "PostgresProgram",
    "RabbitmqProgram",
    "is_fetched",
    "java",
    "kafka",
    "missing",
    "nginx",
    "postgres",
    "rabbitmq",
    "spark",
]
