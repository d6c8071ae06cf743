import { contract } from '../src/contract.js'
import * as users from '../src/sequelize.js'

contract(users)
