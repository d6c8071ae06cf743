import { describe, expect, it } from 'vitest'
import { csvOf } from '../../../src/bench/report/csv.ts'
import {
  about,
  bytesText,
  escapeHtml,
  shortRows,
  spanText,
  timeText,
  visible,
} from '../../../src/bench/report/format.ts'
import { htmlOf } from '../../../src/bench/report/html.ts'
import { parseResults } from '../../../src/bench/results.ts'
import { HOSTILE, ownSchemaResults, sampleResults } from './sample.ts'

describe('text', () => {
  it('has units and three significant digits', () => {
    expect([0, 0.00042, 0.42, 1.834, 24.12, 999.9, 1240, 84_200, 744_000, 3_600_000].map(timeText)).toEqual([
      '0 ms',
      '0.42 µs',
      '420 µs',
      '1.83 ms',
      '24.1 ms',
      '1 s',
      '1.24 s',
      '1.4 min',
      '12.4 min',
      '1 h',
    ])
    expect([0, 300, 8192, 1.2e9].map(bytesText)).toEqual(['0 B', '300 B', '8.19 kB', '1.2 GB'])
    expect([0, 1000, 10_000, 1e7].map(shortRows)).toEqual(['0', '1,000', '10k', '10M'])
    expect(about(1234)).toBe('1,200')
    expect(spanText(1.2, 1.4, timeText)).toBe('1.2–1.4 ms')
    expect(spanText(0.9, 1.4, timeText)).toBe('900 µs – 1.4 ms')
  })

  it('escapes everything in a name that a page or a terminal would interpret', () => {
    expect(visible('a\u0000\n\u202e\u2028\ud800b😀')).toBe('a\\u0000\\u000a\\u202e\\u2028\\ud800b😀')
    expect(escapeHtml(`<a href="x" title='y'>&\``)).not.toMatch(/[<>"'`]|&(?!#)/)
  })
})

describe('the CSV', () => {
  it('has a line for each cell, with unrounded figures', () => {
    const results = sampleResults()
    const lines = csvOf(results).split('\r\n')
    expect(lines).toHaveLength(results.cells.length + 2)
    expect(lines[0]).toBe(
      'server,case,label,rows,method,outcome,n,median,q1,q3,min,max,journalBytes,freedBytes,leftBytes,readerWaitMs,nextInsertMs,cpuMs,remark',
    )
    const [cell] = results.cells
    if (cell?.outcome !== 'measured') throw new Error('not measured')
    expect(lines[1]).toContain(`postgres:18,base,"one table, one index`)
    expect(lines[1]).toContain(`,0,delete,measured,30,${cell.median},${cell.q1},${cell.q3},`)
  })

  it('does not turn a name into a formula', () => {
    const csv = csvOf(ownSchemaResults(6))
    expect(csv).toContain(`,"'=HYPERLINK(""http://example.invalid"",""click"")",`)
    expect(csv).toContain('"two\nlines\u0007')
  })
})

describe('the page', () => {
  it('accepts results read back from a file', () => {
    for (const results of [sampleResults(), ownSchemaResults(60)])
      expect(parseResults(JSON.stringify(results), 'sample')).toEqual(results)
  })

  it('embeds the results unchanged, whatever names they contain', () => {
    const results = ownSchemaResults(60)
    const html = htmlOf(results, '"</script>";')
    const json = /<script type="application\/json" id="results">(.*?)<\/script>/s.exec(html)?.[1] ?? ''
    expect(JSON.parse(json)).toEqual(results)
    expect(html.match(/<script\b/g)).toHaveLength(2)
    expect(html.match(/<\/script\b/g)).toHaveLength(2)
    expect(html).not.toContain('<img')
    for (const name of HOSTILE) expect(html).toContain(escapeHtml(name))
  })

  it('loads nothing from elsewhere', () => {
    const html = htmlOf(sampleResults(), '')
    expect(html.match(/(?:src|href)="(?!#|data:)[^"]*"|url\(|@import/g)).toBeNull()
    expect(html).toContain(`default-src 'none'; script-src 'sha256-`)
  })
})
