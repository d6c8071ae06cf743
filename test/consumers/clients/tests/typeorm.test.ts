import { contract } from '../src/contract.js'
import * as users from '../src/typeorm.js'

contract(users)
