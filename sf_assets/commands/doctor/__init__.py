"""`sf-assets doctor`: one line for each thing that must work, with what to do about it."""
