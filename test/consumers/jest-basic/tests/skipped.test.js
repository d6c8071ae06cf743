// The database of this file is given back all the same.
test.skip('no hook runs for this file', () => {})
