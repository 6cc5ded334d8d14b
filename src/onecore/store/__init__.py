"""Tables, migrations and the queries behind the ports; the database server and its secrets."""
