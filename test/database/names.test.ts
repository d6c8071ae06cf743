import { describe, expect, it } from 'vitest'
import { isTemplateOf, namesFor, newRunId, runOf } from '../../src/database/names.ts'
import { isMarkOf, newMark } from '../../src/engine/ownership-mark.ts'

describe('names of databases', () => {
  const run = newRunId()

  it('contain project, run and slot, and need no quotes', () => {
    const names = namesFor('@scope/My Shop', 63)
    expect(names.database(run, 3)).toBe(`afresh_scope_my_shop_${run}_3`)
    expect(runOf(names.database(run, 3))).toBe(run)
    expect(names.template('abcdef0123456789')).toBe('afresh_scope_my_shop_t_abcdef012345')
    expect(runOf(names.template('abcdef0123456789'))).toBeUndefined()
  })

  it('fit the limit and stay distinct however long the project is', () => {
    const names = namesFor(`${'x'.repeat(200)}1`, 63)
    const two = namesFor(`${'x'.repeat(200)}2`, 63)
    expect(names.database(run, 1000).length).toBeLessThanOrEqual(63)
    expect(names.database(run, 1)).not.toBe(two.database(run, 1))
    expect(runOf(names.database(run, 1000))).toBe(run)
  })

  it('distinguish the templates of projects', () => {
    const names = namesFor('shop', 63)
    expect(isTemplateOf(names.template('abcdef0123456789'), names)).toBe(true)
    expect(isTemplateOf(namesFor('shop_two', 63).template('abcdef0123456789'), names)).toBe(false)
  })

  it('have a run id that sorts by time and is unique', () => {
    expect(newRunId()).toMatch(/^[a-z0-9]{10}$/)
    expect(new Set(Array.from({ length: 1000 }, () => newRunId())).size).toBeGreaterThan(990)
  })

  it.each(['postgres', 'afresh_shop', 'afresh_shop_1', 'myapp_test_1'])('do not match %s', (name) => {
    expect(runOf(name)).toBeUndefined()
  })
})

describe('the ownership mark', () => {
  it('is valid only for the database it was created for', () => {
    const mark = newMark({ server: '7', database: '16384' }, 'made')
    expect(mark).toMatch(/^afresh:v1:7:16384:made-[0-9a-f]{16}$/)
    expect(isMarkOf(mark, { server: '7', database: '16384' })).toBe(true)
    expect(isMarkOf(mark, { server: '8', database: '16384' })).toBe(false)
    expect(isMarkOf(mark, { server: '7', database: '1638' })).toBe(false)
  })
})
