/**
 * `node:assert` and `node:assert/strict` for tests that run in a sandbox: always strict, and each assertion is counted, so
 * that a test that asserts nothing is known. What an assertion throws is what a model is told.
 */
import { isSame, shown } from './equal.ts'

type Expected = RegExp | (new (...args: never[]) => unknown) | ((thrown: unknown) => boolean) | object
type Said = string | Error | undefined

let count = 0
export const assertions = (): number => count

export class AssertionError extends Error {
  override readonly name = 'AssertionError'
  readonly code = 'ERR_ASSERTION'
}

function claim(holds: boolean, said: Said, otherwise: () => string): asserts holds {
  count++
  if (holds) return
  throw said instanceof Error ? said : new AssertionError(said ?? otherwise())
}

export function ok(value: unknown, said?: Said): asserts value {
  claim(Boolean(value), said, () => `${shown(value)} is not true`)
}
export function equal(is: unknown, expected: unknown, said?: Said): void {
  claim(Object.is(is, expected), said, () => `${shown(is)} is not ${shown(expected)}`)
}
export function notEqual(is: unknown, other: unknown, said?: Said): void {
  claim(!Object.is(is, other), said, () => `it is ${shown(other)}`)
}
export function deepEqual(is: unknown, expected: unknown, said?: Said): void {
  claim(isSame(is, expected), said, () => `${shown(is)} is not the same as ${shown(expected)}`)
}
export function notDeepEqual(is: unknown, other: unknown, said?: Said): void {
  claim(!isSame(is, other), said, () => `it is the same as ${shown(other)}`)
}
export function match(text: string, pattern: RegExp, said?: Said): void {
  claim(pattern.test(text), said, () => `${shown(text)} does not match ${String(pattern)}`)
}
export function doesNotMatch(text: string, pattern: RegExp, said?: Said): void {
  claim(!pattern.test(text), said, () => `${shown(text)} matches ${String(pattern)}`)
}
export function fail(said?: Said): never {
  claim(false, said, () => 'failed')
  throw new AssertionError('failed')
}
export function ifError(thrown: unknown): void {
  claim(thrown === null || thrown === undefined, undefined, () => `it is ${shown(thrown)}`)
}

export function throws(work: () => unknown, expected?: Expected | string, said?: Said): void {
  let thrown: { value: unknown } | undefined
  try {
    work()
  } catch (value) {
    thrown = { value }
  }
  judge(thrown, expected, said, 'it does not throw')
}
export async function rejects(
  work: (() => PromiseLike<unknown>) | PromiseLike<unknown>,
  expected?: Expected | string,
  said?: Said,
): Promise<void> {
  let thrown: { value: unknown } | undefined
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (value) {
    thrown = { value }
  }
  judge(thrown, expected, said, 'it does not reject')
}
export function doesNotThrow(work: () => unknown): void {
  work()
  count++
}
export async function doesNotReject(work: (() => PromiseLike<unknown>) | PromiseLike<unknown>): Promise<void> {
  await (typeof work === 'function' ? work() : work)
  count++
}

function judge(
  thrown: { value: unknown } | undefined,
  expected: Expected | string | undefined,
  said: Said,
  none: string,
): void {
  const [wanted, message] = typeof expected === 'string' ? [undefined, expected] : [expected, said]
  claim(thrown !== undefined, message, () => none)
  claim(wanted === undefined || fits(thrown.value, wanted), message, () => `it throws ${shown(thrown.value)}`)
}

function fits(thrown: unknown, expected: Expected): boolean {
  if (expected instanceof RegExp) return expected.test(String(thrown))
  if (typeof expected === 'function') {
    const { prototype } = expected as { prototype?: unknown }
    if (prototype !== undefined && thrown instanceof (expected as new () => object)) return true
    // A class that is not its own does not fit; anything else is asked.
    if (prototype instanceof Error || expected === Error) return false
    return (expected as (thrown: unknown) => boolean)(thrown)
  }
  const of = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as Record<string, unknown>
  const member = (key: string, value: unknown): boolean =>
    value instanceof RegExp ? value.test(String(of[key])) : isSame(of[key], value)
  const named = expected instanceof Error ? { name: expected.name, message: expected.message } : expected
  return Object.entries(named).every(([key, value]) => member(key, value))
}

const assert = Object.assign((value: unknown, said?: Said): asserts value => ok(value, said), {
  AssertionError,
  ok,
  equal,
  notEqual,
  strictEqual: equal,
  notStrictEqual: notEqual,
  deepEqual,
  notDeepEqual,
  deepStrictEqual: deepEqual,
  notDeepStrictEqual: notDeepEqual,
  match,
  doesNotMatch,
  fail,
  ifError,
  throws,
  rejects,
  doesNotThrow,
  doesNotReject,
})
const strict: typeof assert & { strict?: unknown } = Object.assign(assert, { strict: assert })
export {
  equal as strictEqual,
  notEqual as notStrictEqual,
  deepEqual as deepStrictEqual,
  notDeepEqual as notDeepStrictEqual,
  strict,
}
export default strict
