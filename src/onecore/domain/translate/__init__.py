"""One module per flow: a source document goes in, an accounting document comes out."""
