INSERT INTO guests (name) VALUES ('Ada');
INSERT INTO guests (name, invited_by) VALUES ('Grace', 1);
INSERT INTO settings VALUES ('title', 'Guests');
