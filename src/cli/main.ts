#!/usr/bin/env node
import { run } from './program.ts'

// The reader may have exited (`afresh plan … | head`). The command continues without output.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

run(process.argv.slice(2)).then((exitCode) => {
  // Exit even if a driver has open handles, but flush the output first.
  process.exitCode = exitCode
  process.stdout.write('', () => process.exit())
})
