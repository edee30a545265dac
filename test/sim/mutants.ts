import { CONTROLLER } from './mutants/controller.ts'
import { GROUPS } from './mutants/groups.ts'
import { RAFT } from './mutants/raft.ts'
import { REPLICATION } from './mutants/replication.ts'
import { STORAGE } from './mutants/storage.ts'
import type { Mutant } from './planted.ts'

/** All that `npm run sim:mutants` plants. */
export const MUTANTS: readonly Mutant[] = [...RAFT, ...REPLICATION, ...STORAGE, ...CONTROLLER, ...GROUPS]
