"""The archive: everything that was proposed, judged and measured, forever."""
