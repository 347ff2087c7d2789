"""Proposers: who carries operators out."""
