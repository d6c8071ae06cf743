jest.resetModules()
module.exports = require('afresh/jest/reset')
