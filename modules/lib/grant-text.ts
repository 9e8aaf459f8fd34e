/**
 * The grammar of grants: `service.method`, `service.*`, `service@aspect.method`, each with `:pattern` behind it where the
 * method has an argument that patterns are compared with. Pure. The kernel checks configs with it, the sandbox host
 * compares what a guest asks for (`sandbox/host/grants.ts`).
 */
import type { Power } from '../contracts/sandbox.ts'

export interface Grant {
  readonly text: string
  readonly service: string
  /** `*`: every aspect */
  readonly aspect: string
  /** `*`: every method */
  readonly method: string
  /** undefined: any argument */
  readonly pattern: string | undefined
}

const GRANT =
  /^([A-Za-z0-9][A-Za-z0-9_./-]{0,127}?)(?:@([A-Za-z_][A-Za-z0-9_-]*|\*))?\.([A-Za-z$][A-Za-z0-9_$]*|\*)(?::(.+))?$/s

/** undefined when it is no grant. */
export function parseGrant(text: string): Grant | undefined {
  const [whole, service = '', aspect = 'default', method = '', pattern] = GRANT.exec(text) ?? []
  return whole === undefined ? undefined : { text, service, aspect, method, pattern }
}

/** As it is shown and counted: without its argument. */
export const powerText = ({ service, aspect, method }: Power): string =>
  aspect === 'default' ? `${service}.${method}` : `${service}@${aspect}.${method}`
