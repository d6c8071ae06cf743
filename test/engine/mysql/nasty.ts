/** A schema with everything that is known to cause problems on MySQL and MariaDB, with rows. */
export function nastySchema({ mariadb, other }: { mariadb: boolean; other: string }): string {
  return COMMON.replaceAll('«other»', other) + (mariadb ? MARIADB : MYSQL)
}

/** Runs first, in another database: the referenced side of foreign keys across databases. */
export const OTHER = 'CREATE TABLE far (id INT PRIMARY KEY, note TEXT); INSERT INTO far VALUES (1, "there");'

const COMMON = `
CREATE TABLE parent (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(50) NOT NULL UNIQUE) AUTO_INCREMENT = 1000;
CREATE TABLE child (a INT, b VARCHAR(10), parent_id INT, PRIMARY KEY (a, b),
  CONSTRAINT to_parent FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE);
CREATE TABLE grandchild (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, a INT, b VARCHAR(10), far_id INT,
  CONSTRAINT to_child FOREIGN KEY (a, b) REFERENCES child (a, b) ON DELETE SET NULL ON UPDATE CASCADE,
  CONSTRAINT to_far FOREIGN KEY (far_id) REFERENCES \`«other»\`.far (id));
CREATE TABLE tree (id INT AUTO_INCREMENT PRIMARY KEY, parent_id INT, FOREIGN KEY (parent_id) REFERENCES tree (id));
CREATE TABLE egg (id INT AUTO_INCREMENT PRIMARY KEY, hen_id INT NOT NULL);
CREATE TABLE hen (id INT AUTO_INCREMENT PRIMARY KEY, egg_id INT NOT NULL,
  CONSTRAINT from_egg FOREIGN KEY (egg_id) REFERENCES egg (id));
ALTER TABLE egg ADD CONSTRAINT from_hen FOREIGN KEY (hen_id) REFERENCES hen (id);
CREATE TABLE \`we\`\`ird. "Näme" 'x' %\` (\`se lect\` INT AUTO_INCREMENT PRIMARY KEY, \`Or\`\`der\` TEXT);
CREATE TABLE \`Ünïcode €\` (id INT PRIMARY KEY, v INT);
CREATE TABLE typed (id INT PRIMARY KEY, j JSON, g GEOMETRY, f FLOAT, d DOUBLE, bits BIT(10),
  e ENUM('a', 'A2', 'b'), s SET('x', 'y'), y YEAR, t TIME(6), ts TIMESTAMP(6) NULL, dt DATETIME(6), bl LONGBLOB,
  c CHAR(10), u VARCHAR(20) CHARACTER SET utf16, de DECIMAL(30, 10), bin VARBINARY(20), tx MEDIUMTEXT,
  twice INT GENERATED ALWAYS AS (id * 2) STORED, virt VARCHAR(30) GENERATED ALWAYS AS (CONCAT(c, '!')) VIRTUAL,
  hidden INT DEFAULT 5 INVISIBLE, touched TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP);
CREATE TABLE zero (id INT AUTO_INCREMENT PRIMARY KEY, v INT);
CREATE TABLE words (word VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, n INT);
CREATE TABLE bag (line TEXT, n FLOAT, b LONGBLOB);
CREATE TABLE parts (id INT AUTO_INCREMENT, at INT NOT NULL, v INT, PRIMARY KEY (id, at))
  PARTITION BY RANGE (at) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
CREATE TABLE audited (id INT AUTO_INCREMENT PRIMARY KEY, v INT, stamp VARCHAR(20));
CREATE TABLE watched (id INT AUTO_INCREMENT PRIMARY KEY, v INT);
CREATE TABLE audit (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(50));
CREATE TABLE quick (id INT AUTO_INCREMENT PRIMARY KEY, v INT) ENGINE=MEMORY;
CREATE TABLE old (id INT AUTO_INCREMENT PRIMARY KEY, v INT) ENGINE=MyISAM AUTO_INCREMENT = 50;
CREATE TABLE checked (id INT PRIMARY KEY, v INT CHECK (v < 100), d DATETIME NOT NULL);

INSERT INTO parent (name) VALUES ('one'), ('two'), ('three');
INSERT INTO child VALUES (1, 'x', 1000), (2, 'y', 1001);
INSERT INTO grandchild (a, b, far_id) VALUES (1, 'x', 1), (2, 'y', NULL);
INSERT INTO tree VALUES (1, NULL), (2, 1), (3, 2);
SET foreign_key_checks = 0;
INSERT INTO egg VALUES (1, 1);
INSERT INTO hen VALUES (1, 1);
SET foreign_key_checks = 1;
INSERT INTO \`we\`\`ird. "Näme" 'x' %\` (\`Or\`\`der\`) VALUES ('back\\\\slash ''quote'' \`tick\`'), (NULL);
INSERT INTO typed (id, j, g, f, d, bits, e, s, y, t, ts, dt, bl, c, u, de, bin, tx, hidden, touched) VALUES
  (1, '{"a": 1.0, "b": [1, 2]}', ST_GeomFromText('POINT(1 2)'), 0.1, 1 / 3e0, b'1010101010', 'a', 'x,y', 2020,
   '-12:00:00.123456', '2024-01-01 00:00:00.123456', '2024-02-29 10:00:00.5', x'00ff', 'ab', 'äö😀', 1.23, x'0001',
   'long', 7, '2020-01-01 00:00:00'),
  (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   '2020-01-01 00:00:00'),
  (3, '1', ST_GeomFromText('LINESTRING(0 0, 1 1)'), 1e20, -0.5, b'0', 'b', '', 1999, '00:00:00', NULL, NULL, '', '', '',
   0, '', '', 0, '2020-01-01 00:00:00');
SET sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO');
INSERT INTO zero VALUES (0, 10), (1, 11);
SET sql_mode = '';
INSERT INTO checked VALUES (1, 5, '0000-00-00 00:00:00');
INSERT INTO words VALUES ('Apple', 1), ('pear', 2);
INSERT INTO bag VALUES ('same', 0.1, x'01'), ('same', 0.1, x'01'), (NULL, NULL, NULL), ('other', 2.5, '');
INSERT INTO parts (at, v) VALUES (1, 1), (50, 2);
INSERT INTO audited (v, stamp) VALUES (1, 'first'), (2, 'second');
INSERT INTO old (v) VALUES (1);

DELIMITER //
CREATE TRIGGER audited_before BEFORE INSERT ON audited FOR EACH ROW BEGIN
  SET NEW.stamp = CONCAT('made ', NEW.v); -- changes what is inserted
END//
CREATE TRIGGER audited_first AFTER INSERT ON audited FOR EACH ROW INSERT INTO audit (what) VALUES (CONCAT('ins ', NEW.id))//
CREATE TRIGGER audited_second AFTER INSERT ON audited FOR EACH ROW FOLLOWS audited_first INSERT INTO audit (what) VALUES ('2nd')//
CREATE TRIGGER audited_gone AFTER DELETE ON audited FOR EACH ROW INSERT INTO audit (what) VALUES (CONCAT('del ', OLD.id))//
CREATE TRIGGER \`wat\`\`ched\` BEFORE DELETE ON watched FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'vetoed'//
CREATE PROCEDURE add_parent(IN p VARCHAR(50)) BEGIN INSERT INTO parent (name) VALUES (p); END//
CREATE FUNCTION plus_one(n INT) RETURNS INT DETERMINISTIC RETURN n + 1//
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM audit//
DELIMITER ;
CREATE VIEW a_on_z AS SELECT id, plus_one(total) AS total FROM z_view;
`.replace(
  'CREATE VIEW a_on_z',
  'CREATE VIEW z_view AS SELECT id, id * 2 AS total FROM parent;\nCREATE VIEW a_on_z',
)

const MYSQL = `
SET SESSION sql_generate_invisible_primary_key = 1;
CREATE TABLE keyless (v INT);
SET SESSION sql_generate_invisible_primary_key = 0;
INSERT INTO keyless VALUES (1), (1);
`

const MARIADB = `
CREATE SEQUENCE free_seq START WITH 5 INCREMENT BY 3;
CREATE SEQUENCE unused_seq;
SELECT NEXTVAL(free_seq), NEXTVAL(free_seq);
CREATE TABLE ticket (id INT PRIMARY KEY DEFAULT NEXTVAL(free_seq), v INT);
INSERT INTO ticket (v) VALUES (1);
CREATE TABLE history_full (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING;
INSERT INTO history_full VALUES (1, 1), (2, 2);
CREATE TABLE history_empty (id INT AUTO_INCREMENT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING;
`
