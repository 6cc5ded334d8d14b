# make demo   OneCore beside a simulated Procore and Xero
# make test   lint, format, types, import directions and all tests
# make bench  every measurement, a table and bench.json
.PHONY: demo test setup pictures bench

setup:
	@scripts/setup run

demo: setup
	@.venv/bin/onecore demo

test:
	@scripts/setup dev
	@scripts/check

pictures:
	@scripts/setup dev
	@.venv/bin/python scripts/pictures.py

bench:
	@scripts/setup bench
	@.venv/bin/python -m bench --out bench.json
