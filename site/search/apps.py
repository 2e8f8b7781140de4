"""The search application, as Django knows it."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """Documents and what finds them."""

    name = "search"
    verbose_name = "Search"
