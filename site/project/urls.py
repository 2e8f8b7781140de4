"""Which page answers which address."""

from django.contrib import admin
from django.urls import path

from search import api, views
from search.metrics import metrics

urlpatterns = [
    path("", views.home, name="home"),
    path("search", views.results, name="results"),
    path("document/<int:pk>", views.document, name="document"),
    path("api/search", api.search, name="api-search"),
    path("api/suggest", api.suggest, name="api-suggest"),
    path("api/openapi.json", api.openapi, name="api-openapi"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
]
