import { describeSqlite } from '../support/sqlite.ts'
import { contract } from './contract.ts'
import { onSqlite } from './targets.ts'

describeSqlite(({ open }) => contract(onSqlite(open)))
