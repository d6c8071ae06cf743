// By NODE_OPTIONS loaded into every process of a run: one of jest's workers that is told to end notes what would keep it
// alive. jest itself gives it half a second, which is not enough on a busy machine.
const { appendFileSync } = require('node:fs')

const END = 2 // CHILD_MESSAGE_END of jest-worker

function onMessage(message) {
  if (!Array.isArray(message) || message[0] !== END) return
  process.removeListener('message', onMessage)
  setImmediate(() => {
    // Its standard streams do not.
    const stays = process
      .getActiveResourcesInfo()
      .filter((name) => !/^(PipeWrap|TTYWrap|Immediate)$/.test(name))
    appendFileSync(process.env.AFRESH_CONSUMER_STAYS, `${JSON.stringify(stays)}\n`)
  })
}

if (process.send !== undefined) process.on('message', onMessage)
