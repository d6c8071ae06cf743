/** The clients in docs/clients, each in its language: tests that depend on each other's dirt, with and without resets. */
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { builtCli, CLI_MAIN } from '../support/cli.ts'
import { leftOut, remedy } from '../support/left-out.ts'
import { describeOn, type ServerAtHand } from '../support/servers.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { databasesOf } from './project.ts'

const CLIENTS = join(import.meta.dirname, '../../docs/clients')
const SCHEMA = `CREATE TABLE users (id serial PRIMARY KEY, name text); INSERT INTO users (name) VALUES ('Ada')`
/** Of tests in a suite. Each finds Ada alone, and makes the second user. */
const TESTS = 6

interface Language {
  readonly id: 'python' | 'go' | 'ruby' | 'curl'
  readonly client: string
  /** The line that resets. */
  readonly reset: RegExp
  /** Shows that all that is needed is installed. */
  readonly probe: readonly string[]
  readonly files: Readonly<Record<string, string>>
  readonly command: readonly string[]
  readonly passed: RegExp
}

const LANGUAGES: readonly Language[] = [
  {
    id: 'python',
    client: 'conftest.py',
    reset: /leased\.reset\(.*\)/,
    // Debian's, whichever other Python comes first in PATH.
    probe: ['/usr/bin/python3', '-c', 'import pytest, psycopg2, xdist'],
    files: {
      'test_users.py': `
import os
import psycopg2
import pytest

@pytest.mark.parametrize("round", range(${TESTS}))
def test_finds_ada_alone(round):
    with psycopg2.connect(os.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO users (name) VALUES ('Bert') RETURNING id")
        assert cursor.fetchone() == (2,)
        cursor.execute("UPDATE users SET name = 'changed' WHERE id = 1 AND name = 'Ada'")
        assert cursor.rowcount == 1
`,
    },
    command: ['/usr/bin/python3', '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '-n', '2'],
    passed: new RegExp(`${TESTS} passed`),
  },
  {
    id: 'go',
    client: 'afresh_test.go',
    reset: /if err := ask\("POST", "\/v1\/leases\/"\+database\.ID\+"\/reset".*; err != nil/,
    probe: ['go', 'version'],
    files: {
      'go.mod': 'module shop\n\ngo 1.19\n',
      'users_test.go': `package shop

import (
	"os/exec"
	"strings"
	"testing"
)

func TestFindsAdaAlone(t *testing.T) {
	for round := 0; round < ${TESTS}; round++ {
		t.Run("round", func(t *testing.T) {
			ResetAfter(t)
			sql := "INSERT INTO users (name) VALUES ('Bert') RETURNING id"
			output, err := exec.Command("psql", "-Atqc", sql).CombinedOutput()
			if err != nil || strings.TrimSpace(string(output)) != "2" {
				t.Fatal(err, string(output))
			}
		})
	}
}
`,
    },
    command: ['go', 'test', '-count=1', '-vet=off', './...'],
    passed: /^ok\s+shop/m,
  },
  {
    id: 'ruby',
    client: 'afresh.rb',
    reset: /act\('reset', test: test\)/,
    probe: ['ruby', '-e', 'require "pg"; require "net/http"'],
    files: {
      'users_test.rb': `
require 'pg'
require_relative 'afresh'

database = Afresh.lease
${TESTS}.times do |round|
  connection = PG.connect(ENV.fetch('DATABASE_URL'))
  id = connection.exec("INSERT INTO users (name) VALUES ('Bert') RETURNING id").getvalue(0, 0)
  raise "round #{round}: id #{id}" unless id == '2'
  connection.close
  database.reset("users_test.rb: #{round}")
end
database.release
puts 'all passed'
`,
    },
    command: ['ruby', 'users_test.rb'],
    passed: /^all passed$/m,
  },
  {
    id: 'curl',
    client: 'afresh.sh',
    reset: /afresh_request POST "\/v1\/leases\/\$AFRESH_LEASE\/reset".*/,
    probe: ['curl', '--version'],
    files: {
      'users_test.sh': `
set -eu
. ./afresh.sh
afresh_lease
for round in $(seq ${TESTS}); do
  id=$(psql "$DATABASE_URL" -Atqc "INSERT INTO users (name) VALUES ('Bert') RETURNING id")
  test "$id" = 2
  afresh_reset "round $round"
done
echo all passed
`,
    },
    command: ['sh', 'users_test.sh'],
    passed: /^all passed$/m,
  },
]

let folder: string
beforeAll(async () => {
  await builtCli()
  folder = mkdtempSync(join(temporaryFolder(), 'afresh-clients-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the suite of a language under `afresh run`. */
function run(server: ServerAtHand, { id, client, files, command }: Language, edit: (text: string) => string) {
  const own = mkdtempSync(join(folder, `${id}-`))
  const options = { server: server.url, project: 'served', migrate: 'schema.sql' }
  writeFileSync(join(own, 'afresh.config.mjs'), `export default ${JSON.stringify(options)}\n`)
  writeFileSync(join(own, 'schema.sql'), SCHEMA)
  writeFileSync(join(own, client), edit(readFileSync(join(CLIENTS, client), 'utf8')))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(own, name), text)
  const cache = join(folder, 'go-cache')
  mkdirSync(cache, { recursive: true })
  return new Promise<{ code: number | null; output: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [CLI_MAIN, 'run', '--', ...command],
      {
        cwd: own,
        env: { ...process.env, NODE_ENV: 'test', GOCACHE: cache, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'local' },
      },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, output: stdout + stderr }),
    )
  })
}

function isInstalled([program = '', ...args]: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describeOn('embedded:18', (server) => {
  for (const language of LANGUAGES) {
    const reason = leftOut(language.id)
    const name = reason === undefined ? language.client : `NOT RUN: ${language.client} (${reason})`
    describe.skipIf(reason !== undefined)(name, () => {
      it('is installed', () => {
        if (!isInstalled(language.probe))
          throw new Error(`${language.id} is missing\n  → ${remedy(language.id)}`)
      })

      it('gives every test a database at the baseline', async () => {
        const { code, output } = await run(server, language, (text) => text)
        expect(output).toMatch(language.passed)
        expect(code, output).toBe(0)
        expect(await databasesOf(server)).toEqual([])
      })

      it('is what keeps the tests apart', async () => {
        const instead = { python: 'None', go: 'if err := error(nil); err != nil', ruby: 'test', curl: ':' }[
          language.id
        ]
        const { code, output } = await run(server, language, (text) => {
          expect(text).toMatch(language.reset)
          return text.replace(language.reset, instead)
        })
        expect(code, output).not.toBe(0)
        expect(await databasesOf(server)).toEqual([])
      })
    })
  }
})
