/**
 * A structured clone whose lists are as quick as those a program makes itself. V8 reads every list back in its most general
 * form, and what goes through one from then on (a sum, a search, another clone) takes up to twice as long, for as long as it
 * lives. Lists without holes are built anew; what is shared or a ring stays so. For state that is worked with: the kernel's hand-over.
 */

/** Throws as `structuredClone` does. */
export function quickCopy<T>(value: T): T {
  const copies = new Map<object, object>()
  const left: object[] = []
  const copyOf = (one: unknown): unknown => {
    if (typeof one !== 'object' || one === null) return one
    const known = copies.get(one)
    if (known !== undefined) return known
    const copy = Array.isArray(one) && isWhole(one) ? [] : one
    copies.set(one, copy)
    left.push(one)
    return copy
  }
  const copy = copyOf(structuredClone(value)) as T
  for (let one = left.pop(); one !== undefined; one = left.pop()) fill(one, copies.get(one) ?? one, copyOf)
  return copy
}

/** Nothing but its items, and no hole among them. A hole and a name make up for each other in the count. */
const isWhole = (list: unknown[]): boolean =>
  Object.values(list).length === list.length &&
  (!list.includes(undefined) || list.findIndex((_, index) => !Object.hasOwn(list, index)) < 0)

function fill(from: object, to: object, copyOf: (one: unknown) => unknown): void {
  if (Array.isArray(from) && Array.isArray(to) && from !== to) {
    for (const item of from as unknown[]) to.push(typeof item === 'object' ? copyOf(item) : item)
  } else if (from instanceof Map) {
    const entries = [...from]
    from.clear()
    for (const [key, item] of entries) from.set(copyOf(key), copyOf(item))
  } else if (from instanceof Set) {
    const items = [...from]
    from.clear()
    for (const item of items) from.add(copyOf(item))
  } else if (Array.isArray(from) || Object.getPrototypeOf(from) === Object.prototype) {
    for (const [key, item] of Object.entries(from)) {
      const copy = typeof item === 'object' ? copyOf(item) : item
      if (copy !== item)
        Object.defineProperty(from, key, { value: copy, writable: true, enumerable: true, configurable: true })
    }
  }
}
