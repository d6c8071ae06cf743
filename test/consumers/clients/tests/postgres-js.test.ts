import { contract } from '../src/contract.js'
import * as users from '../src/postgres-js.js'

contract(users)
