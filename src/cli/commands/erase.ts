import { sql } from '../../erase/sql.ts'
import type { Where } from '../../erase/where.ts'
import { AfreshError } from '../../errors.ts'
import { eraseFrom, planErase } from '../../harness/erase-by-url.ts'
import { defineCommand } from '../command.ts'
import { again, type EraseFlags, withEraseFlags, withOptions } from '../erase-options.ts'
import { writeErased, writeTree } from '../erase-text.ts'
import { EXIT } from '../failure.ts'
import { attachOptions, collect, defined, withUrl } from '../options.ts'

interface EraseCommandFlags extends EraseFlags {
  readonly where?: string
  readonly keys?: readonly string[]
  readonly softDelete?: string
  readonly value?: string
  readonly live?: readonly string[]
  readonly explain?: boolean
}

export const eraseCommand = defineCommand<EraseCommandFlags>({
  notes: `
The affected tables follow from the foreign keys. If rows of other tables would have to be deleted too, nothing is done
unless --cascade allows it. One transaction (except with --batch), one statement a table, no key leaves the server.
The database must carry afresh's mark (afresh adopt); any other is refused with exit code 3, and stays unchanged.
--explain only reads the catalog, of any database.

  afresh erase users --url postgres://localhost/shop_test --where "email LIKE '%@example.test'" --explain
  afresh erase users --url postgres://localhost/shop_test --keys 17,18 --cascade follow --dry-run
  afresh erase log --url mysql://root@localhost/shop_test --where 'at < NOW() - INTERVAL 1 DAY' --batch 10000
  afresh erase users --url sqlite:shop.db --keys 17 --cascade follow --soft-delete deleted_at`,
  options: (command) =>
    withEraseFlags(
      withUrl(command.argument('<table>', 'the table, with its schema where that is not the default'))
        .option('--where <sql>', 'which rows: the condition after WHERE')
        .option('--keys <list>', 'which rows: values of the primary key, separated by commas', collect),
    )
      .option('--soft-delete <column>', 'mark the rows instead: with the time in this column')
      .option('--value <value>', 'with --soft-delete: with this value')
      .option('--live <value>', 'with --soft-delete: the value of unmarked rows; repeatable', again)
      .option('--explain', 'show what would happen to each table, as a tree; read no rows'),

  async run({ url, where, keys, softDelete, value, live, explain, ...flags }, output, [table = '']) {
    const mark = softDelete === undefined ? undefined : { column: softDelete, ...defined({ value, live }) }
    if ((value ?? live) !== undefined && softDelete === undefined) {
      throw new AfreshError('usage', '--value and --live belong to --soft-delete.', {
        next: 'Name its column.',
      })
    }
    if (explain === true) {
      const { cascade, onDelete } = flags
      const view = await planErase(url, table, defined({ cascade, onDelete, softDelete: mark }))
      output.document(view)
      writeTree(view, output)
      return EXIT.done
    }
    const { allow } = await attachOptions({}, output)
    const report = await withOptions(flags, output, (options) =>
      eraseFrom(url, table, whereOf(where, keys), { ...options, ...defined({ softDelete: mark, allow }) }),
    )
    output.document(report)
    writeErased(report, output)
    return EXIT.done
  },
})

function whereOf(where: string | undefined, keys: readonly string[] | undefined): Where {
  if (where !== undefined && keys === undefined) return sql.raw(where)
  if (keys !== undefined && where === undefined) return keys
  throw new AfreshError('usage', 'Which rows? Give either --where or --keys.', {
    next: 'Give one of them; every row is --where "1 = 1".',
  })
}
