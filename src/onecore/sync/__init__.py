"""Deciding what to do about one document, from digests and policy. Pure."""
