import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createHarness } from '../../src/index.ts'
import { ask } from '../support/ask.ts'
import { type CiRecipe, startCiService } from '../support/ci-service.ts'
import { describeOn } from '../support/servers.ts'

const SCHEMA = 'CREATE TABLE users (id int PRIMARY KEY)'
const ROW = 'INSERT INTO users VALUES (1)'

const page = readFileSync(join(import.meta.dirname, '../../docs/ci.md'), 'utf8')
const recipes = [...page.matchAll(/<!-- recipe: (\S+) -->\n```yaml\n([\s\S]*?)\n```/g)].map(
  ([, name = '', yaml = '']) => ({ name, ...recipeIn(yaml) }),
)

/** The image and environment of a recipe's server, and the URL that the job uses. */
function recipeIn(yaml: string): CiRecipe {
  return {
    image: /(?:image|name): ((?:postgres|mysql|mariadb):\S+)/.exec(yaml)?.[1] ?? '',
    environment: Object.fromEntries(
      [...yaml.matchAll(/((?:POSTGRES|MYSQL|MARIADB)_\w+): (\S+)/g)].map(([, key, value]) => [key, value]),
    ),
    url: /TEST_SERVER: (\S+)/.exec(yaml)?.[1] ?? '',
  }
}

it('the page on CI has a recipe for each system and each engine', () => {
  expect(recipes.map(({ name, image }) => [name, image])).toEqual([
    ['github', 'postgres:18'],
    ['gitlab', 'mysql:9.7'],
    ['compose', 'mariadb:11.8'],
  ])
})

for (const id of ['postgres:18', 'mysql:9.7', 'mariadb:11.8'] as const) {
  describeOn(id, ({ engine }) => {
    for (const recipe of recipes.filter(({ image }) => image === id)) {
      it(`the recipe in docs/ci.md works: ${recipe.name}`, async () => {
        await using service = await startCiService(engine, recipe)
        await using harness = await createHarness({
          server: service.server.url,
          migrate: async ({ url }) => void (await ask({ engine, url }, `${SCHEMA}; ${ROW}`)),
        })
        await using database = await harness.lease()
        await ask({ engine, url: database.url }, 'DELETE FROM users')
        await database.reset()
        expect(await ask({ engine, url: database.url }, 'SELECT id FROM users')).toEqual([{ id: 1 }])
      })
    }
  })
}
