"""What cdsync decides and why: values in, values out. No clock, no log, no I/O, nothing but the standard library."""
