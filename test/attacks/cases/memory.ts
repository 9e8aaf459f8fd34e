/** Attacks that fill memory: in the isolate, beside it, and in whoever listens to it. */
import type { Attack } from '../attack.ts'

/** V8 may refuse the piece, end the isolate in order, give up on it, or be killed with its process first. */
const FULL = ['sandbox_memory', 'sandbox_crashed', 'sandbox_host_died', 'sandbox_cpu', 'callee_error']
const fills = (id: string, title: string, body: string, more: Partial<Attack> = {}): Attack => ({
  id,
  title,
  guard: 'memory of the isolate and of its process',
  body,
  sandbox: { isolation: 'own', cpu_ms: 10_000, wall_ms: 20_000, cpu_share: 1 },
  expect: { code: FULL },
  after: 'answers',
  ...more,
})
const GONE = 'what no limit counts is gone'

export const MEMORY: readonly Attack[] = [
  fills('66', 'objects', 'attack() { const all = []; for (;;) all.push({ a: all.length }) }'),
  fills(
    '67',
    'texts',
    "attack() { const all = []; for (let i = 0; ; i++) all.push(('x' + i).repeat(1e5).split('').join('')) }",
  ),
  fills('68', 'buffers', 'attack() { const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1)) }'),
  fills('69', 'a buffer of 1 GB', 'attack() { return new ArrayBuffer(1e9).byteLength }'),
  fills(
    '70',
    'a spread of thirty million',
    'attack() { const a = new Array(3e7).fill(1); return [...a, ...a].length }',
    { expect: { code: [...FULL, 'callee_error'] } },
  ),
  fills('66b', 'lists of numbers', 'attack() { const all = []; for (;;) all.push(new Array(1000).fill(all.length)) }'),
  fills('71', 'a set that grows', 'attack() { const all = new Set(); for (let i = 0; ; i++) all.add(i) }'),
  {
    id: '72',
    title: 'a buffer that grows',
    guard: GONE,
    body: 'attack() { const b = new ArrayBuffer(8, { maxByteLength: 1e9 }); return [b.resizable === true, typeof b.resize, typeof ArrayBuffer.prototype.resize, new (Object.getPrototypeOf(b)[CTOR])(8, { maxByteLength: 64 }).resizable === true] }',
    expect: { value: [false, 'undefined', 'undefined', false] },
  },
  {
    id: '73',
    title: 'shared memory that grows',
    guard: GONE,
    body: 'attack() { return typeof SharedArrayBuffer + typeof Atomics }',
    expect: { value: 'undefinedundefined' },
  },
  {
    id: '74',
    title: 'memory of WebAssembly',
    guard: GONE,
    body: 'attack() { return typeof WebAssembly }',
    expect: { value: 'undefined' },
  },
  fills(
    '75',
    'recursion without an end',
    'attack() { const f = () => f() + 1; try { return f() } catch (e) { return e instanceof RangeError } }',
    { sandbox: {}, expect: { value: true }, after: 'lives' },
  ),
  {
    id: '72b',
    title: 'a buffer that grows, by a subclass and by Reflect',
    guard: GONE,
    body: "attack() { class B extends ArrayBuffer {}; const all = [new B(8, { maxByteLength: 64 }), Reflect.construct(ArrayBuffer, [8, { maxByteLength: 64 }]), structuredClone(new ArrayBuffer(8)), new Uint8Array(8).buffer]; return all.some((b) => b.resizable === true || typeof b.resize === 'function') }",
    expect: { value: false },
  },
  {
    id: '72c',
    title: 'a grown buffer by transfer',
    guard: GONE,
    body: 'attack() { const b = new ArrayBuffer(8); if (!b.transfer) return false; return b.transfer(16).resizable === true }',
    expect: { value: false },
  },
  fills(
    'hoard',
    'a hoard that grows call by call',
    'all = []\n attack() { for (let i = 0; i < 5e4; i++) this.all.push({ i }); return this.all.length }',
    { calls: Array.from({ length: 40 }, () => ['attack']), expect: { code: FULL } },
  ),
  fills(
    'process',
    'more than its process may have, call by call',
    // What it holds is looked at four times a second: at the end it waits to be seen.
    `all = []
     async attack() {
       for (let i = 0; i < 8; i++) this.all.push(new Uint8Array(8e6).fill(1))
       if (this.all.length > 80) await new Promise((resolve) => setTimeout(resolve, 3_000))
       return this.all.length
     }`,
    { calls: Array.from({ length: 12 }, () => ['attack']), expect: { code: FULL } },
  ),
  fills(
    'closures',
    'timers that hold what they hold',
    'attack() { for (let i = 0; ; i++) { const big = new Array(1e4).fill(i); setTimeout(() => big, 1e9) } }',
    { expect: { code: [...FULL, 'sandbox_flood'] } },
  ),
  fills(
    'random',
    'a gigabyte of random numbers',
    'attack() { return crypto.getRandomValues(new Uint8Array(1e9)).length }',
    { expect: { code: [...FULL, 'callee_error'] } },
  ),
  fills('repeat', 'a text beyond every limit', "attack() { return 'x'.repeat(2 ** 30).length }", {
    sandbox: {},
    expect: { code: 'callee_error' },
    after: 'lives',
  }),
]
