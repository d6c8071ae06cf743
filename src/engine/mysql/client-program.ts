import type { ClientProgram } from '../client-program.ts'
import { partsOf } from './environment.ts'

/** The password is in `MYSQL_PWD`. Option files could name another server, or another password. */
function argumentsFor(url: string): string[] {
  const { host, port, user, database, socket } = partsOf(url)
  return [
    '--no-defaults',
    ...(socket === undefined
      ? ['--protocol=tcp', `--host=${host}`, `--port=${port}`]
      : [`--socket=${socket}`]),
    `--user=${user}`,
    ...(database === undefined ? [] : [database]),
  ]
}

/** The clients of MySQL and MariaDB can each talk to the other's server; its own comes first. */
export function clientProgram(name: string): ClientProgram {
  return {
    names: name === 'mariadb' ? ['mariadb', 'mysql'] : ['mysql', 'mariadb'],
    argumentsFor,
    typedArguments: (url, { showPassword }) => [
      ...argumentsFor(url).slice(0, -1),
      showPassword ? `--password=${partsOf(url).password ?? ''}` : '--password',
      ...argumentsFor(url).slice(-1),
    ],
    install: 'Debian: apt install default-mysql-client, or mariadb-client; macOS: brew install mysql-client',
  }
}
