"""What is read from Salesforce and how: the table of endpoints, their SOQL, and the catalogue of standard columns."""
