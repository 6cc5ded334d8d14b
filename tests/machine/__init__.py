"""A state machine over the whole product through HTTP: what people do, what breaks, what holds."""
