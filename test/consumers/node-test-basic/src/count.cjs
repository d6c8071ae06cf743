const { parentPort } = require('node:worker_threads')
const { count } = require('./shop.cjs')

count('customers').then((found) => (parentPort ? parentPort.postMessage(found) : process.send(found)))
