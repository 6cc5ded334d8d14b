"""Use cases: what a person or a script can do. The web and the command line call the same ones."""
