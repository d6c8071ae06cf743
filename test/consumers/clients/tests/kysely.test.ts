import { contract } from '../src/contract.js'
import * as users from '../src/kysely.js'

contract(users)
