import { Option } from 'commander'
import { purgeFrom } from '../../harness/erase-by-url.ts'
import { defineCommand } from '../command.ts'
import { again, age, type EraseFlags, withEraseFlags, withOptions } from '../erase-options.ts'
import { writeErased } from '../erase-text.ts'
import { EXIT } from '../failure.ts'
import { attachOptions, collect, defined, withUrl } from '../options.ts'

interface PurgeFlags extends EraseFlags {
  readonly column?: string
  readonly olderThan?: string
  readonly zone?: 'utc' | 'session'
  readonly value?: string
  readonly live?: readonly string[]
  readonly tables?: readonly string[]
}

export const purgeCommand = defineCommand<PurgeFlags>({
  notes: `
Deletes from every table that has the column, children before parents. If an unmarked row, or one marked
later, refers to a marked one, the command fails and deletes nothing; --cascade follow deletes such rows too.

  afresh purge --url postgres://localhost/shop_test --older-than 30d --dry-run
  afresh purge --url mysql://root@localhost/shop_test --column deleted --value 1 --batch 10000`,
  options: (command) =>
    withEraseFlags(
      withUrl(command)
        .option('--column <name>', 'the column that marks (default: deleted_at)')
        .option('--older-than <age>', 'only rows that were marked at least this long ago: 30d, 12h, 90m, 45s')
        .addOption(
          new Option('--zone <zone>', 'how to read a column without a time zone, for --older-than').choices([
            'utc',
            'session',
          ]),
        )
        .option('--value <value>', 'only what was marked with this value')
        .option('--live <value>', 'the value of unmarked rows, if it is not NULL; repeatable', again)
        .option('--tables <list>', 'only these tables, separated by commas', collect),
    ),

  async run({ url, column, olderThan, zone, value, live, tables, ...flags }, output) {
    const { allow } = await attachOptions({}, output)
    const marked = defined({
      column,
      olderThan: olderThan === undefined ? undefined : age(olderThan),
      zone,
      value,
      live,
      tables,
      allow,
    })
    const report = await withOptions(flags, output, ({ softDelete: _, ...options }) =>
      purgeFrom(url, { ...options, ...marked }),
    )
    output.document(report)
    writeErased(report, output)
    return EXIT.done
  },
})
