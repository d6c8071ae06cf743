// By NODE_OPTIONS loaded into every process of a run: has its harness process fail before it looks after anything.
if (process.env.AFRESH_IN_RUN === 'harness') {
  switch (process.env.HARNESS_PROCESS) {
    case 'fails':
      process.exit(3)
      break
    case 'is killed':
      process.kill(process.pid, 'SIGKILL')
      break
    case 'is killed with its starter':
      process.kill(process.ppid, 'SIGKILL')
      process.kill(process.pid, 'SIGKILL')
      break
    case 'has no cleanup process':
      process.execPath = '/nowhere/node'
  }
}
