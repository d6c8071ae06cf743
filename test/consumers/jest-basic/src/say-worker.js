require('node:fs').writeSync(2, `worker ${process.env.JEST_WORKER_ID}\n`)
