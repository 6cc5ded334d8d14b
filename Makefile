# make demo   OneCore beside a simulated Procore and Xero
# make test   lint, format, types, import directions and all tests
.PHONY: demo test setup pictures

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
