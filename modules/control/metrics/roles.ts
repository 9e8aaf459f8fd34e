/** What a service is there for, by what it is made from: to do the work, to lead others to it, or to watch. Pure. */

export type Role = 'productive' | 'coordination' | 'system'

const LEADS = /^(?:agents\/|mcp\/|inference\/ask$|services\/(?:tools|http|mcp)$)/
const WATCHES = /^(?:control\/|kernel$|services\/(?:traces|history|metrics|recordings)$)/

/** Ways in: what they call is called for somebody outside. */
const ENTRANCES = /^services\/(?:http|mcp)$/

const STORES = /^services\/(?:database|chromadb|memory)$/

export function roleOf(prog: string): Role {
  if (WATCHES.test(prog)) return 'system'
  return LEADS.test(prog) ? 'coordination' : 'productive'
}

export const isEntrance = (prog: string): boolean => ENTRANCES.test(prog)
export const isStore = (prog: string): boolean => STORES.test(prog)
