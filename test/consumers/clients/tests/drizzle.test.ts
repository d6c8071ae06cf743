import { contract } from '../src/contract.js'
import * as users from '../src/drizzle.js'

contract(users)
