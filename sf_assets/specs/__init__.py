"""Which objects and columns are read: the table of endpoints, their SOQL files, the catalogue of standard columns."""
