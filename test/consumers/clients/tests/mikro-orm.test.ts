import { contract } from '../src/contract.js'
import * as users from '../src/mikro-orm.js'

contract(users)
