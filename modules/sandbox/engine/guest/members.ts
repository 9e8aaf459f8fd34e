/** What an aspect of an instance offers, as the kernel reads it in its own process: the nearest definition of a name wins. */
import type { GuestMember } from '../../../contracts/sandbox.ts'
import { coded } from './errors.ts'

const LIFECYCLE_NAMES = new Set([
  'constructor',
  'init',
  'run',
  'selfTest',
  'configure',
  'handOver',
  'takeOver',
  'shutdown',
  'getAspect',
])

const StreamFunction = Object.getPrototypeOf(async function* () {}) as { constructor: unknown }
const isStream = (fn: object): boolean =>
  Object.getPrototypeOf(fn) === StreamFunction || fn.constructor === StreamFunction.constructor

/** Values are looked at through descriptors, so that no getter runs. */
export function membersOf(self: object): GuestMember[] {
  const members = new Map<string, GuestMember>()
  for (
    let level: object | null = self;
    level !== null && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    for (const name of Object.getOwnPropertyNames(level)) {
      if (name.startsWith('_') || LIFECYCLE_NAMES.has(name) || members.has(name)) continue
      const value: unknown = Object.getOwnPropertyDescriptor(level, name)?.value
      const kind = typeof value !== 'function' ? 'value' : isStream(value) ? 'stream' : 'call'
      members.set(name, { name, kind, length: typeof value === 'function' ? value.length : 0 })
    }
  }
  return [...members.values()]
}

/** undefined when the module has no such aspect; a module may say so by throwing, as in the paper. */
export function aspectOf(instance: Record<string, unknown>, name: string): object | undefined {
  const { getAspect } = instance
  const none = name === 'default' ? instance : undefined
  if (typeof getAspect !== 'function') return none
  let found: unknown
  try {
    found = Reflect.apply(getAspect, instance, [name])
  } catch {
    return none
  }
  if (found === undefined || found === null) return none
  if (typeof found !== 'object' && typeof found !== 'function') {
    throw coded('aspect_invalid', { aspect: name, reason: `it is a ${typeof found}` })
  }
  if (found instanceof Promise) throw coded('aspect_invalid', { aspect: name, reason: 'it is a Promise' })
  return found
}
