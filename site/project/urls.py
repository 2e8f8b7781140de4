"""Which page answers which address."""

from django.contrib import admin
from django.urls import path

from search import api, views

urlpatterns = [
    path("", views.home, name="home"),
    path("search", views.results, name="results"),
    path("api/search", api.search, name="api-search"),
    path("api/suggest", api.suggest, name="api-suggest"),
    path("api/openapi.json", api.openapi, name="api-openapi"),
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("admin/", admin.site.urls),
]
