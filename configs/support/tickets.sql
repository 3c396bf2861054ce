-- All tickets of the help desk, for analysis:  sqlite3 support/analysis.db <support/tickets.sql
CREATE TABLE IF NOT EXISTS tickets (
    number INTEGER PRIMARY KEY, -- of the row; the ticket's own is in url
    url TEXT UNIQUE,
    title TEXT,
    status TEXT,
    priority TEXT,
    type TEXT,
    tags JSON,
    assignee TEXT,
    reporter TEXT,
    channel TEXT,
    created_at TIMESTAMP,
    updated_at TIMESTAMP
);
CREATE INDEX IF NOT EXISTS tickets_created ON tickets (created_at);
