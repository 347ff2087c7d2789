"""The rules, one file per small family."""
