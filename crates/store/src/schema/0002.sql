-- How many commits there were, and a name for this store: an older copy of it is told by them.
CREATE TABLE generation (id INTEGER PRIMARY KEY CHECK (id = 0), commits INTEGER NOT NULL, name BLOB NOT NULL) STRICT;
INSERT INTO generation VALUES (0, 0, randomblob(16));
