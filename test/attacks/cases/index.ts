/** The whole corpus. */
import type { Attack } from '../attack.ts'
import { AUTHORITY } from './authority.ts'
import { DATA } from './data.ts'
import { FLOODS } from './flood.ts'
import { GRANTS } from './grants.ts'
import { MEMORY } from './memory.ts'
import { PROTOTYPES } from './prototypes.ts'
import { SOURCES } from './source.ts'
import { TIME } from './time.ts'

export const ATTACKS: readonly Attack[] = [
  ...AUTHORITY,
  ...GRANTS,
  ...DATA,
  ...PROTOTYPES,
  ...TIME,
  ...MEMORY,
  ...FLOODS,
  ...SOURCES,
]
