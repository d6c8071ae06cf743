// The same tests in each of the files, which run beside each other.
import '../src/cases.js'
