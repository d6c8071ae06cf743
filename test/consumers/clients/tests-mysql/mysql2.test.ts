import { contract } from '../src/contract.js'
import * as users from '../src/mysql2.js'

contract(users)
