"""One module per revision of the layout."""
