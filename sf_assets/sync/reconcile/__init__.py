"""Compares a merged table with its org once a day: hard deletes, rows without a stamp, calculated values."""
