// In place of afresh/mocha: the same databases, which nothing resets.
const { mochaHooks, mochaGlobalSetup, mochaGlobalTeardown } = require('afresh/mocha')

module.exports = {
  mochaGlobalSetup,
  mochaGlobalTeardown,
  mochaHooks: async () => {
    await mochaHooks()
    return {}
  },
}
