-- The table that contacts.jsonc keeps in step with contacts.csv.
CREATE TABLE contacts (id INTEGER PRIMARY KEY, name TEXT NOT NULL, mail TEXT, phone TEXT, street TEXT, town TEXT);
INSERT INTO contacts VALUES (1, 'Ann Archer', 'ann@example.org', NULL, 'High Street 1', 'Bath');
INSERT INTO contacts VALUES (2, 'Bo Baker', 'bo@example.org', '+44 20 7946 0001', 'Mill Lane 2', 'Wells');
