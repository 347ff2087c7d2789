"""The command layer: the only place that reads flags and writes to a terminal."""
