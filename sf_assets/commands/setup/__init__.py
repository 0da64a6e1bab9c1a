"""`sf-assets setup`: scripts for AWS, Snowflake and Salesforce, filled in with a person's values."""
