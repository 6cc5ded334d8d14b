"""What both simulators share: a movable clock, switches, faults, a request log and a server."""
