CREATE TABLE users (id int AUTO_INCREMENT PRIMARY KEY, name varchar(100) NOT NULL);
INSERT INTO users (name) VALUES ('Ada'), ('Bert');
