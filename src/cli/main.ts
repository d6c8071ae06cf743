#!/usr/bin/env node
import { run } from './program.ts'

// Whoever reads may have gone (`afresh plan … | head`): the work goes on to its end, silently.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

run(process.argv.slice(2)).then((exitCode) => {
  // An open handle of some driver must not keep the process; what was printed is written first.
  process.exitCode = exitCode
  process.stdout.write('', () => process.exit())
})
