"""The Django project: settings, addresses, the application that uWSGI runs."""
