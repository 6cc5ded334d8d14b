"""Claims under random kills, pauses, restarts and faults: is each a bill, and each once?

`.venv/bin/python -m bench.chaos --documents 1000 --seconds 240 --workers 3 --seed 7`

Real `onecore serve` and `onecore worker` processes run beside both simulators. People approve,
amend, reopen and delete claims and pay bills, while processes are killed by SIGKILL at named
points and anywhere, paused for longer than a lease lives, the database is killed and restarted,
and both remotes lose, drop, fail and delay requests. Then peace, and the proof: both simulators
are read whole and every claim's bills are compared to the cent. Exit 1 with a list of what is
wrong.
"""
