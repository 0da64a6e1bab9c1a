"""Limits that Salesforce documents, and the bounds that this client sets for an answer."""

PAGE_ROWS = 2_000
"""Rows of a full page of a query; a page may hold fewer (REST API guide, "Query Options Header")."""
COMPOSITE_REQUESTS = 25
"""GETs in one composite call (REST API guide, "Composite")."""
COMPOSITE_QUERIES = 5
"""Of them queries."""
URI_BYTES = 16_384
"""Longest URI, and longest URI with its headers (REST API guide, statuses 414 and 431)."""
HEADERS_BYTES = 2_048
"""Bytes of URI_BYTES that are left to the headers, above all to the token."""

LONGEST_CODE = 100
"""Characters of an error code that are kept."""
LONGEST_TEXT = 4_000
"""Characters of a message or of a SELECT that an error quotes."""

MEBIBYTE = 2**20
MOST_BYTES = {
    "login": MEBIBYTE // 4,
    "query": 64 * MEBIBYTE,
    "page": 64 * MEBIBYTE,
    "composite": 64 * MEBIBYTE,
    "describe": 16 * MEBIBYTE,
    "inventory": 32 * MEBIBYTE,
    "job": MEBIBYTE,
    "results": 128 * MEBIBYTE,
}
"""Decoded bytes of a good answer, by kind of request.

A page of 2,000 rows may have 32 KiB a row; Salesforce itself sends fewer rows where rows are longer. A describe has
0.4 MB, with long picklists 5 MB. The list of objects has 1.2 kB an object.
A page of a Bulk result that is larger is asked for again with fewer rows.
"""
MOST_ERROR_BYTES = MEBIBYTE
"""Bytes of a refusal that are read; the rest of a longer page is not."""
