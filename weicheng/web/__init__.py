"""页面: the shell, today, the map, the journal page."""
