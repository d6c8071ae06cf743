import { contract } from '../src/contract.js'
import * as users from '../src/pg.js'

contract(users)
