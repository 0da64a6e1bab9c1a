"""Salesforce over HTTP: login, queries, pages, describe, and the pace at which they are sent."""
