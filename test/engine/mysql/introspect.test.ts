import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Connection } from '../../../src/engine/connection.ts'
import { buildPlan } from '../../../src/plan/build.ts'
import type { Schema } from '../../../src/schema/schema.ts'
import { Bench, onEachServer } from './support.ts'

describe('introspect', () => {
  onEachServer((server) => {
    let bench: Bench
    let schema: Schema
    let connection: Connection
    let other: string
    beforeAll(async () => {
      bench = await Bench.on(server)
      const made = await bench.nasty()
      connection = made.connection
      other = made.other
      await bench.database(`CREATE TABLE near (id INT PRIMARY KEY, p INT,
        CONSTRAINT inbound FOREIGN KEY (p) REFERENCES \`${made.name}\`.parent (id))`)
      schema = await bench.engine.introspect(connection)
    })
    afterAll(() => bench.close())

    const table = (name: string) => schema.tables.find((candidate) => candidate.name === name)
    const key = (name: string) => schema.foreignKeys.find((candidate) => candidate.name === name)
    const sequence = (id: string) => schema.sequences.find((candidate) => candidate.id === id)

    it('finds base tables only, including hostile names', () => {
      const names = schema.tables.map(({ name }) => name)
      expect(names).toContain('we`ird. "Näme" \'x\' %')
      expect(names).toContain('Ünïcode €')
      expect(names).not.toContain('z_view')
      expect(names).not.toContain('free_seq')
      expect(new Set(schema.tables.map(({ id }) => id)).size).toBe(names.length)
    })

    it('reports traits, partitions and triggers of a table', () => {
      expect(table('quick')?.traits).toEqual(['volatile', 'non-transactional'])
      expect(table('old')?.traits).toEqual(['non-transactional'])
      expect(table('parts')?.traits).toEqual(['partitioned'])
      expect(table('parts')?.partitions).toEqual(['p0', 'p1'])
      expect(table('parent')?.traits).toEqual([])
      expect(table('audited')?.triggers).toEqual([
        'audited_before',
        'audited_first',
        'audited_gone',
        'audited_second',
      ])
      expect(table('child')?.primaryKey).toEqual(['a', 'b'])
      if (bench.isMariaDb) expect(table('history_full')?.traits).toEqual(['system-versioned'])
      else expect(table('keyless')?.primaryKey).toEqual(['my_row_id'])
    })

    it('reports generated and invisible columns', () => {
      const generated = table('typed')?.columns.flatMap((column) => (column.generated ? [column.name] : []))
      expect(generated).toEqual(['twice', 'virt'])
      expect(table('typed')?.columns.map(({ name }) => name)).toContain('hidden')
    })

    it('reports foreign keys: composite, self, cycles, actions, out of and into the database', () => {
      expect(key('to_child')).toMatchObject({
        from: '`grandchild`',
        columns: ['a', 'b'],
        to: '`child`',
        referencedColumns: ['a', 'b'],
        onDelete: 'set null',
        onUpdate: 'cascade',
      })
      expect(key('to_parent')?.onDelete).toBe('cascade')
      expect(key('from_egg')).toMatchObject({ from: '`hen`', to: '`egg`' })
      expect(key('from_hen')).toMatchObject({ from: '`egg`', to: '`hen`' })
      expect(schema.foreignKeys.some(({ from, to }) => from === '`tree`' && to === '`tree`')).toBe(true)
      expect(key('to_far')).toMatchObject({ from: '`grandchild`', to: `\`${other}\`.\`far\`` })
      expect(key('inbound')).toMatchObject({ to: '`parent`' })
    })

    it('reports counters and sequences', () => {
      expect(sequence('auto_increment `parent`')).toMatchObject({
        kind: 'auto-increment',
        ownedBy: { table: '`parent`', column: 'id' },
        position: { value: 1003n, called: false },
        max: 2n ** 31n - 1n,
      })
      expect(sequence('auto_increment `grandchild`')?.max).toBe(2n ** 64n - 1n)
      expect(sequence('auto_increment `watched`')?.position).toEqual({ value: 1n, called: false })
      expect(sequence('auto_increment `old`')?.position.value).toBe(51n)
      if (!bench.isMariaDb) return
      expect(sequence('sequence `free_seq`')).toMatchObject({ start: 5n, increment: 3n, cache: 1000n })
    })

    it('reports which tables have rows', async () => {
      const { populated, mayDisableChecks } = await bench.engine.inspectState(connection, schema)
      expect(mayDisableChecks).toBe(true)
      expect(populated).toContain('`parent`')
      expect(populated).toContain('`zero`')
      expect(populated).not.toContain('`watched`')
    })

    it('renders every step deterministically', async () => {
      const { populated, mayDisableChecks } = await bench.engine.inspectState(connection, schema)
      const { capabilities, render } = bench.engine
      const plan = buildPlan(schema, {
        strategy: 'auto',
        sequences: 'restart',
        keep: [],
        populated,
        mayDisableChecks,
        capabilities,
      })
      const sql = render(schema, plan)
      expect(sql).toHaveLength(plan.steps.length)
      expect(sql.every((text) => text.length > 0)).toBe(true)
      expect(render(schema, plan)).toEqual(sql)
      expect(sql).toContain('ALTER TABLE `parent` AUTO_INCREMENT = 1003')
    })
  })
})
