"""The store as a Django application."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    name = "onecore.store"
    label = "store"
