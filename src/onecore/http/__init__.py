"""One transport for both remotes: time-outs, limits, renewal, the request log."""
