"""演示: a district with invented people and a year of work."""
