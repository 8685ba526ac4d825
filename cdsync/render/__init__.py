"""Plans, statuses and histories as text and JSON: values in, text out, the same bytes for the same values."""
