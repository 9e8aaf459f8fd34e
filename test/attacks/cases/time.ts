/** Attacks by computing for ever, in every place where code of a guest runs; and by never answering. */
import type { Attack } from '../attack.ts'

const ENTRY = 'every entry has a deadline'
const LOOP = 'for (;;);'
const cpu = (id: string, title: string, body: string, more: Partial<Attack> = {}): Attack => ({
  id,
  title,
  guard: ENTRY,
  body,
  expect: { code: 'sandbox_cpu' },
  after: 'rebuilt',
  ...more,
})
/** Code that not even the end of its isolate stops: its process goes. */
const native = (id: string, title: string, body: string, more: Partial<Attack> = {}): Attack =>
  cpu(id, title, body, { guard: 'a process that computes on is killed', sandbox: { isolation: 'own' }, ...more })

export const TIME: readonly Attack[] = [
  cpu('45', 'a loop in a method', `attack() { ${LOOP} }`, {
    expect: { code: 'sandbox_cpu', reason: 'one entry took more than 400 ms' },
  }),
  cpu('46', 'a loop at the top of the module', '', { top: LOOP, expect: { refused: 'sandbox_cpu' }, after: 'gone' }),
  cpu('47', 'a loop in the constructor', '', {
    source: `export class Module { constructor() { ${LOOP} } }`,
    expect: { refused: 'sandbox_cpu' },
    after: 'gone',
  }),
  cpu('48', 'a loop after an awaited call', `async attack() { await this.kernel.getApi('victim').echo(1); ${LOOP} }`, {
    grants: ['victim.echo'],
  }),
  cpu('49', 'a loop in a timer', `attack() { return new Promise(() => setTimeout(() => { ${LOOP} }, 1)) }`),
  cpu(
    '50',
    'a chain of microtasks',
    'attack() { const again = () => { queueMicrotask(again) }; again(); return new Promise(() => {}) }',
  ),
  cpu('45b', 'a loop around one that the compiler unrolls', 'attack() { let all; for (;;) all = new Array(1000) }'),
  cpu('51', 'a loop of awaits', 'async attack() { for (;;) await null }'),
  cpu('52', 'a thenable that loops', `attack() { return { then() { ${LOOP} } } }`),
  cpu(
    '53',
    'an error whose message loops',
    `attack() { const e = new Error('x'); Object.defineProperty(e, 'message', { get() { ${LOOP} } }); throw e }`,
  ),
  cpu('53b', 'a thrown value whose toString loops', `attack() { throw { toString() { ${LOOP} } } }`, {
    expect: { code: ['sandbox_cpu', 'callee_error'] },
    after: 'lives',
  }),
  cpu(
    '54',
    'catch, finally and continue around it',
    `attack() { for (;;) { try { try { ${LOOP} } catch {} finally { continue } } catch {} } }`,
  ),
  cpu('55', 'a regular expression that backtracks', "attack() { return /^(a+)+$/.test('a'.repeat(40) + 'b') }", {
    sandbox: { isolation: 'own' },
  }),
  cpu('56', 'a loop over Intl', "attack() { for (;;) new Intl.NumberFormat('de-DE').format(Math.random()) }", {
    sandbox: { isolation: 'own' },
  }),
  {
    id: '57',
    title: 'a loop in shutdown()',
    guard: ENTRY,
    body: `shutdown() { ${LOOP} }\n attack() { return 1 }`,
    meanwhile: 'remove its config',
    expect: { value: 1 },
    after: 'gone',
  },
  native(
    '58',
    'indexOf over 2**53 items',
    'attack() { return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1) }',
    { expect: { code: ['sandbox_cpu', 'sandbox_host_died'] } },
  ),
  native(
    '58b',
    'the same, in a process it shares',
    'attack() { return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1) }',
    { sandbox: { group: 'tenants' }, expect: { code: ['sandbox_cpu', 'sandbox_host_died'] }, process: 'gone' },
  ),
  cpu('again', 'a loop, again and again', `attack() { ${LOOP} }`, {
    guard: 'a source that breaks its limits again and again is put away',
    after: 'quarantined',
  }),
  native('59', 'a power of big integers', 'attack() { return String(2n ** (1n << 26n)).length }', {
    expect: { code: ['sandbox_cpu', 'sandbox_host_died', 'sandbox_memory', 'sandbox_crashed'] },
  }),
  {
    id: '62',
    title: 'a promise that never settles',
    guard: 'every call has a wall deadline',
    sandbox: { wall_ms: 300 },
    body: 'attack() { return new Promise(() => {}) }',
    expect: { code: 'sandbox_wall' },
  },
  {
    id: '63',
    title: 'a shutdown that never settles',
    guard: 'the end has a deadline',
    sandbox: { wall_ms: 300 },
    body: 'shutdown() { return new Promise(() => {}) }\n attack() { return 1 }',
    meanwhile: 'remove its config',
    expect: { value: 1 },
    after: 'gone',
  },
  {
    id: '65',
    title: 'a loop in a callback of FinalizationRegistry',
    guard: 'what runs outside of every entry is gone',
    body: `attack() { return typeof FinalizationRegistry + typeof WeakRef }`,
    expect: { value: 'undefinedundefined' },
  },
  cpu(
    '65b',
    'a loop where no entry is: in a callback of FinalizationRegistry, or in a timer where that is gone',
    `attack() {
      if (typeof FinalizationRegistry === 'undefined') { setTimeout(() => { ${LOOP} }, 1); return new Promise(() => {}) }
      globalThis.registry = new FinalizationRegistry(() => { ${LOOP} })
      for (let i = 0; i < 100; i++) registry.register({ i }, i)
      for (let round = 0; round < 20; round++) { const all = []; for (let i = 0; i < 5e4; i++) all.push([i]) }
      return new Promise(() => {})
    }`,
    { sandbox: { isolation: 'own', cpu_ms: 1_500, cpu_share: 1, wall_ms: 9_000 } },
  ),
  cpu('in-init', 'a loop in init()', `init() { ${LOOP} }`, { expect: { refused: 'sandbox_cpu' }, after: 'gone' }),
  cpu('in-statics', 'a static getter that loops', '', {
    source: `export class Module { static get needs() { ${LOOP} } }`,
    expect: { refused: 'sandbox_cpu' },
    after: 'gone',
  }),
  cpu(
    'in-aspect',
    'a loop in getAspect()',
    `getAspect(name) { if (name === 'tool') return {}; ${LOOP} }\n attack() { return 1 }`,
    { expect: { refused: 'sandbox_cpu' }, after: 'gone' },
  ),
  cpu('in-self-test', 'a loop in selfTest()', `selfTest() { ${LOOP} }`, {
    expect: { refused: 'sandbox_cpu' },
    after: 'gone',
  }),
  cpu('in-stream', 'a loop in a stream', `async *items() { yield 1; ${LOOP} }\n attack() { return 1 }`, {
    calls: [['items']],
  }),
  cpu(
    'in-abort',
    'a loop in a listener of a signal',
    `attack() { const c = new AbortController(); c.signal.addEventListener('abort', () => { ${LOOP} }); c.abort() }`,
  ),
  cpu('in-sort', 'a comparison that loops, in a native sort', `attack() { return [3, 2, 1].sort(() => { ${LOOP} }) }`),
  cpu(
    'in-replacer',
    'a replacer that loops, in JSON',
    `attack() { return JSON.stringify({ a: 1 }, () => { ${LOOP} }) }`,
  ),
  cpu('in-console', 'a loop in what is logged', `attack() { console.log({ get a() { ${LOOP} } }); return 1 }`),
  cpu(
    'share',
    'always a little less than a deadline',
    'async attack() { for (;;) { const until = Date.now() + 100; while (Date.now() < until); await new Promise((done) => setTimeout(done, 1)) } }',
    { guard: 'a share of a core over time', sandbox: { cpu_share: 0.1, wall_ms: 10_000, isolation: 'own' } },
  ),
  native(
    'sort-natively',
    'filling an endless array-like',
    'attack() { return Array.prototype.fill.call({ length: 2 ** 53 - 1 }, 0) }',
    { expect: { code: ['sandbox_cpu', 'sandbox_memory', 'sandbox_host_died', 'sandbox_crashed'] } },
  ),
  native('pad', 'a join of two billion', "attack() { return [].join.call({ length: 2 ** 32 - 2 }, '') }", {
    expect: { code: ['sandbox_cpu', 'sandbox_memory', 'sandbox_host_died', 'sandbox_crashed', 'callee_error'] },
    after: 'rebuilt',
  }),
]
