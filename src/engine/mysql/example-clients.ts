import type { ExampleClient } from '../engine-server.ts'

const INSERT = `INSERT INTO users (name) VALUES ('Bert')`

export const exampleClients: Readonly<Record<string, ExampleClient>> = {
  mysql2: {
    import: ['mysql', 'mysql2/promise'],
    open: (url) => `const pool = mysql.createPool(${url})`,
    end: 'pool.end()',
    run: (sql) => `await pool.query(\`${sql}\`)`,
    query: (sql) => `const [rows] = await pool.query(\`${sql}\`)`,
    userTables: 'table_schema = database()',
    databaseName: 'database()',
    isTrue: '1',
    addBert: (client) => [client.run(INSERT), client.query('SELECT max(id) AS id FROM users')],
  },
}
