"""The use cases against both simulators, in this process."""

from tests.engine.conftest import bare_desk, desk

__all__ = ["bare_desk", "desk"]
