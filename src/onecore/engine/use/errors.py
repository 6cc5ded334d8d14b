"""Errors a person can act on: what is wrong, where, and what to do next."""


class UseError(Exception):
    """Wrong use: the message says what and what to do. Exit code 2, HTTP 400."""


class NotFound(UseError):
    """There is no such thing; the message says what there is. HTTP 404."""


class OutOfReach(Exception):
    """A remote or the database cannot be reached or refuses us. Exit code 3, HTTP 503."""


class NeedsPerson(Exception):
    """It stops until somebody decides or mends something. Exit code 1, HTTP 409."""
