"""The field's rules as plain Python: values in, values out; no Django, no database, no clock."""
