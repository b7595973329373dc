"""The ledger's storage: events, documents, command results and lanes, in PostgreSQL or in memory."""
