import type { Bench } from './support.ts'

export const FAMILY = `
  CREATE TABLE top (id INT AUTO_INCREMENT PRIMARY KEY, v INT);
  CREATE TABLE middle (id INT PRIMARY KEY, top INT, FOREIGN KEY (top) REFERENCES top (id) ON DELETE CASCADE ON UPDATE CASCADE);
  CREATE TABLE leaf (id INT PRIMARY KEY, middle INT, v INT,
    FOREIGN KEY (middle) REFERENCES middle (id) ON DELETE SET NULL ON UPDATE CASCADE);
  INSERT INTO top VALUES (1, 1), (2, 2); INSERT INTO middle VALUES (1, 1), (2, 2); INSERT INTO leaf VALUES (1, 1, 1), (2, 2, 2);
  CREATE TABLE plain (id INT AUTO_INCREMENT PRIMARY KEY, v INT UNIQUE);
  CREATE TABLE bare (id INT AUTO_INCREMENT PRIMARY KEY, v INT);`

/** A database whose resets use detector `counters`, and a session that writes to it. */
export async function watched(bench: Bench, script = FAMILY, name?: string) {
  const made = await bench.database(script, name)
  const prepared = await bench.prepare(made.connection, undefined, {
    detector: 'counters',
    lockTimeoutMs: 1000,
  })
  return { ...made, ...prepared, writer: await bench.connect(made.name) }
}
