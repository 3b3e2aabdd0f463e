"""Reports as one self-contained HTML page: interactive figures, sortable tables, an episode that plays."""
