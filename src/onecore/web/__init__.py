"""Pages, webhook intake and sign-in."""
