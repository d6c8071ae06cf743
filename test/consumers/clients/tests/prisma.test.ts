import { contract } from '../src/contract.js'
import * as users from '../src/prisma.js'

contract(users)
