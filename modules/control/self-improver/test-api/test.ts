/**
 * `node:test` for tests that run in a sandbox: `test` and `it`, `describe` and `suite`, the four hooks, `skip` and `todo`,
 * subtests, `mock.fn`. They run one after the other, in the order they stand there. `runTests` tells how each ended.
 */
import { assertions } from './assert.ts'

export interface TestResult {
  name: string
  /** null: it passed */
  error: string | null
  skipped: boolean
}

export interface TestReport {
  results: TestResult[]
  assertions: number
}

type Work = (t: TestContext) => unknown
type Hook = (t?: unknown) => unknown
interface Options {
  skip?: boolean | string
  todo?: boolean | string
}
type Given = [name?: string | Options | Work, options?: Options | Work, work?: Work]

interface Suite {
  name: string
  outer: Suite | undefined
  hooks: Record<'before' | 'after' | 'beforeEach' | 'afterEach', Hook[]>
  parts: (() => Promise<void>)[]
}

const RESULTS_MAX = 1_000
const ERROR_CHARS = 1_000
const results: TestResult[] = []
const suiteOf = (name: string, outer?: Suite): Suite => ({
  name,
  outer,
  hooks: { before: [], after: [], beforeEach: [], afterEach: [] },
  parts: [],
})
const whole = suiteOf('')
let current = whole
/** They run when all are known: a file that waits for one of its tests does not wait for ever. */
const LATER = Promise.resolve()

const note = (name: string, error: string | null, skipped = false): void => {
  if (results.length < RESULTS_MAX) results.push({ name, error, skipped })
}

const read = ([first, second, third]: Given): { name: string; options: Options; work: Work | undefined } => {
  const given = [first, second, third]
  const work = given.find((one) => typeof one === 'function')
  const options = given.find((one) => typeof one === 'object') ?? {}
  return { name: typeof first === 'string' ? first : (work?.name ?? ''), options, work }
}

const fullName = (suite: Suite, name: string): string =>
  suite.outer === undefined ? name : `${fullName(suite.outer, suite.name)} > ${name}`
const around = (suite: Suite | undefined): Suite[] => (suite === undefined ? [] : [...around(suite.outer), suite])

async function runHooks(hooks: readonly Hook[], context?: unknown): Promise<void> {
  for (const hook of hooks) await hook(context)
}

export const errorText = (thrown: unknown): string => {
  const { name = 'Error', message = String(thrown) } = (thrown ?? {}) as { name?: string; message?: string }
  return (name === 'AssertionError' ? message : `${name}: ${message}`).slice(0, ERROR_CHARS)
}

export class TestContext {
  readonly name: string
  readonly mock = mock
  readonly signal = new AbortController().signal
  readonly #suite: Suite
  readonly #afters: Hook[] = []
  #skipped = false

  constructor(name: string, suite: Suite) {
    this.name = name
    this.#suite = suite
  }

  skip(): void {
    this.#skipped = true
  }
  todo(): void {
    this.#skipped = true
  }
  diagnostic(): void {
    // There is nobody to read it.
  }
  after(hook: Hook): void {
    this.#afters.push(hook)
  }
  async test(...given: Given): Promise<void> {
    const { name, options, work } = read(given)
    await runOne(this.#suite, `${this.name} > ${name}`, options, work)
  }
  /** What its own run leaves to do, and whether it meant to be left out. */
  async ended(): Promise<boolean> {
    await runHooks([...this.#afters].reverse())
    return this.#skipped
  }
}

async function runOne(suite: Suite, name: string, { skip, todo }: Options, work: Work | undefined): Promise<void> {
  if (work === undefined || isOn(skip) || isOn(todo)) {
    note(fullName(suite, name), null, true)
    return
  }
  const context = new TestContext(name, suite)
  try {
    for (const one of around(suite)) await runHooks(one.hooks.beforeEach, context)
    try {
      await work(context)
    } finally {
      for (const one of around(suite).reverse()) await runHooks(one.hooks.afterEach, context)
    }
    note(fullName(suite, name), null, await context.ended())
  } catch (thrown) {
    note(fullName(suite, name), errorText(thrown))
  }
}

const isOn = (value: boolean | string | undefined): boolean => value === true || typeof value === 'string'

async function runSuite(suite: Suite): Promise<void> {
  try {
    await runHooks(suite.hooks.before)
    for (const part of suite.parts) await part()
    await runHooks(suite.hooks.after)
  } catch (thrown) {
    note(fullName(suite, 'a hook'), errorText(thrown))
  }
}

const adding =
  (more: Options = {}) =>
  (...given: Given): Promise<void> => {
    const { name, options, work } = read(given)
    const suite = current
    suite.parts.push(() => runOne(suite, name, { ...options, ...more }, work))
    return LATER
  }

const suiting =
  (more: Options = {}) =>
  (...given: Given): Promise<void> => {
    const { name, options, work } = read(given)
    const outer = current
    const suite = suiteOf(name, outer)
    if (isOn(more.skip) || isOn(more.todo) || isOn(options.skip) || isOn(options.todo)) {
      note(fullName(suite, ''), null, true)
      return LATER
    }
    current = suite
    try {
      ;(work as (() => unknown) | undefined)?.()
    } finally {
      current = outer
    }
    outer.parts.push(() => runSuite(suite))
    return LATER
  }

const hooking =
  (kind: keyof Suite['hooks']) =>
  (hook: Hook): void => {
    current.hooks[kind].push(hook)
  }

const left = { skip: { skip: true }, todo: { todo: true } } as const
export const test = Object.assign(adding(), { skip: adding(left.skip), todo: adding(left.todo) })
export const describe = Object.assign(suiting(), { skip: suiting(left.skip), todo: suiting(left.todo) })
export const before = hooking('before')
export const after = hooking('after')
export const beforeEach = hooking('beforeEach')
export const afterEach = hooking('afterEach')

interface MockedCall {
  arguments: unknown[]
  result: unknown
  error: unknown
}
type Mocked = ((...args: unknown[]) => unknown) & {
  mock: { calls: MockedCall[]; callCount(): number; resetCalls(): void }
}

export const mock = {
  fn(work: (...args: unknown[]) => unknown = () => undefined): Mocked {
    const calls: MockedCall[] = []
    const mocked = function (this: unknown, ...args: unknown[]): unknown {
      const call: MockedCall = { arguments: args, result: undefined, error: undefined }
      calls.push(call)
      try {
        call.result = work.apply(this, args)
        return call.result
      } catch (thrown) {
        call.error = thrown
        throw thrown
      }
    }
    return Object.assign(mocked, {
      mock: { calls, callCount: () => calls.length, resetCalls: () => void calls.splice(0) },
    })
  },
}

/** Runs what the imported files have registered. */
export async function runTests(): Promise<TestReport> {
  await runSuite(whole)
  return { results, assertions: assertions() }
}

export { test as it, describe as suite }
export default Object.assign(test, {
  test,
  it: test,
  describe,
  suite: describe,
  before,
  after,
  beforeEach,
  afterEach,
  mock,
})
