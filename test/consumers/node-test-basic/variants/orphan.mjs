// Loses its runner before it looks for the server, and writes what it is told then.
import { renameSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const { ppid } = process
process.kill(ppid, 'SIGKILL')
while (process.ppid === ppid) await sleep(10)
const says = await import('afresh/node-test').then(() => 'It has a database.', String)
writeFileSync(`${process.env.SAYS}.part`, says)
renameSync(`${process.env.SAYS}.part`, process.env.SAYS)
