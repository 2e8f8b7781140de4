"""The search site on a real PostgreSQL: a database of the tests' own, each test undone at its end.

Django is set up as this file is read, so that tests may import models; the address of the database
comes later, when the first test wants one.
"""

import os
from collections.abc import Iterator

import django
import pytest
from django.db import connections, transaction
from django.test import Client

from tests.services.conftest import native_services, state_folder

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
os.environ.setdefault("SITE_SECRET_KEY", "only-for-tests-" + "0123456789" * 4)
os.environ.setdefault("SITE_TLS", "0")
os.environ.setdefault("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
django.setup()


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Migrated, and empty."""
    from django.core.management import call_command

    from answerbook import services
    from answerbook.config import Settings
    from project import environment

    programs = Settings.load().programs_folder
    with state_folder() as folder:
        with native_services(folder, programs):  # no longer: other tests have their own
            url = str.__str__(services.require("postgres").create_database("site"))
        connections["default"].close()
        connections["default"].settings_dict.update(environment.database(url))
        call_command("migrate", verbosity=0)
        yield
        connections["default"].close()


@pytest.fixture
def db(database: None) -> Iterator[None]:
    """What a test writes is gone after it."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="session")
def static_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Collected, under names with hashes, as pages refer to them."""
    from django.conf import settings
    from django.core.management import call_command

    settings.STATIC_ROOT = str(tmp_path_factory.mktemp("static"))
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture
def client(db: None, static_files: None) -> Client:
    """Asks as nginx does; what breaks comes as the page that people would see."""
    return Client(SERVER_NAME="localhost", raise_request_exception=False)


@pytest.fixture
def settings_of_site() -> Iterator[object]:
    """Django's settings; what a test changes is as before after it."""
    from django.test.utils import override_settings

    with override_settings():
        from django.conf import settings

        yield settings
