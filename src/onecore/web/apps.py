"""The web application as Django sees it."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "onecore.web"
    label = "web"
