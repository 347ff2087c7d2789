"""Problem types, backends, and the judge: build, verify, time, confirm."""
