export { globalSetup, globalTeardown } from 'afresh/node-test/global-setup'
