import { contract } from '../src/contract.js'
import * as users from '../src/knex-mysql.js'

contract(users)
