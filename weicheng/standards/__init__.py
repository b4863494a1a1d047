"""标准: editions of every dated thing: calendars, severities, time limits, categories, check lists."""
