/**
 * Makes the switchboard: the cell every handle and every `KernelApi` object goes through. It belongs to the process,
 * not to a kernel; a kernel installs its functions on the prototypes made here, and the next kernel replaces them.
 * The prototype chain of a handle ends in a Proxy that only misses reach: it never throws and never forwards the
 * names that the language itself asks for.
 */
import type { Switchboard } from '../contracts/kernel-port.ts'

/** Asked for by `await`, JSON, string conversion, inspection and test tools: always answered with undefined. */
const NEVER_FORWARDED = new Set([
  'then',
  'catch',
  'finally',
  'toJSON',
  'toString',
  'valueOf',
  'constructor',
  'inspect',
  'nodeType',
  'asymmetricMatch',
  '$$typeof',
])

export function createSwitchboard(): Switchboard {
  const miss = new Proxy(Object.create(null) as object, {
    get(_target, name, receiver) {
      if (typeof name === 'symbol' || NEVER_FORWARDED.has(name)) return undefined
      return switchboard.onMiss?.(receiver as object, name)
    },
  })
  const switchboard: Switchboard = {
    frozen: 'none',
    routes: new Map(),
    handleBase: Object.create(miss) as object,
    onMiss: undefined,
    onRoute: undefined,
    observers: new Set(),
    secrets: new Set(),
    calls: undefined,
    kernel: undefined,
    probation: false,
    handingOver: false,
    versionOf: undefined,
    kernelApiBase: {},
    eventsBase: {},
  }
  return switchboard
}
