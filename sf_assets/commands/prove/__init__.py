"""`sf-assets prove`: ask real accounts what documentation leaves open, and write the answers into a report."""
