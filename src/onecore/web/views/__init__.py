"""One module per part of the site; a view reads, calls one use case and shows what came of it."""
