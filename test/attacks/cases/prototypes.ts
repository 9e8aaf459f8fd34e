/** Attacks on the built-ins that the bootstrap works with. Whoever poisons them may break himself, nobody else. */
import type { Attack } from '../attack.ts'

const PRIMORDIALS = 'primordials first'

export const PROTOTYPES: readonly Attack[] = [
  {
    id: '39',
    title: 'poisoned Object, Array, Map, Promise and Reflect',
    guard: PRIMORDIALS,
    body: `seen = []
    attack() {
      const seen = this.seen
      for (const one of [Array.prototype, Map.prototype, Set.prototype, Promise.prototype, Reflect, String.prototype, JSON, Object])
        for (const name of Object.getOwnPropertyNames(one)) {
          const was = one[name]
          if (typeof was === 'function' && name !== CTOR) try { one[name] = function (...args) { seen[seen.length] = args.length > 0 && typeof args[0] === 'string' && args[0].includes('"q"') ? args[0] : ''; return was.apply(this, args) } } catch {}
        }
      return 1
    }
    spied() { let n = 0; for (let i = 0; i < this.seen.length; i++) if (this.seen[i]) n++; return n }`,
    calls: [['attack'], ['spied'], ['spied']],
    expect: { value: 0 },
  },
  {
    id: '40',
    title: 'a setter at Array.prototype[0]',
    guard: PRIMORDIALS,
    body: "caught = 0\n attack() { const it = this; Object.defineProperty(Array.prototype, '0', { set() { it.caught++ }, configurable: true }); return 1 }\n count() { delete Array.prototype[0]; return this.caught }",
    calls: [['attack'], ['alive'], ['count']],
    expect: { value: 0 },
  },
  {
    id: '41',
    title: 'Symbol.species and the constructor of promises',
    guard: PRIMORDIALS,
    body: 'attack() { let got = 0; class P extends Promise { static get [Symbol.species]() { got++; return P } }; Promise.prototype[CTOR] = P; return 1 }',
    calls: [['attack'], ['alive']],
    expect: { value: 'alive' },
  },
  {
    id: '42',
    title: 'Promise.prototype.then replaced',
    guard: PRIMORDIALS,
    body: 'seen = []\n attack() { const { then } = Promise.prototype; const it = this; Promise.prototype.then = function (a, b) { it.seen.push(String(a)); return then.call(this, a, b) }; return 1 }\n look() { return this.seen.filter((one) => /resolve|reject|reply|send/.test(one)).length }',
    calls: [['attack'], ['alive'], ['look']],
    expect: { value: 0 },
  },
  {
    id: '43',
    title: 'a frozen global object, without Promise, with another Proxy',
    guard: PRIMORDIALS,
    body: 'attack() { delete globalThis.Promise; globalThis.Proxy = function () { throw new Error() }; Object.freeze(globalThis); return 1 }',
    calls: [['attack'], ['alive']],
    expect: { value: 'alive' },
  },
  {
    id: '44',
    title: 'a module that is a proxy with a trap that loops',
    guard: 'every entry has a deadline',
    source:
      "export class Module { constructor() { return new Proxy(this, { get() { for (;;); }, has() { for (;;); } }) } alive() { return 'alive' } attack() {} }",
    expect: { refused: 'sandbox_cpu' },
  },
  {
    id: 'iterators',
    title: 'iterators of arrays and maps replaced',
    guard: PRIMORDIALS,
    body: "attack() { Array.prototype[Symbol.iterator] = function* () { yield 'forged' }; Map.prototype[Symbol.iterator] = Array.prototype[Symbol.iterator]; return [1, 2] }",
    calls: [['attack'], ['alive']],
    expect: { value: 'alive' },
  },
  {
    id: 'object-then',
    title: 'then on the prototype of all objects',
    guard: 'answers are plain and read by index',
    body: "attack() { Object.prototype.then = function (done) { done('forged') }; return 1 }\n undo() { delete Object.prototype.then; return 1 }",
    calls: [['attack'], ['alive'], ['undo'], ['alive']],
    expect: { value: 'alive' },
  },
  {
    id: 'descriptors',
    title: 'get and set on the prototype of all objects',
    guard: PRIMORDIALS,
    body: 'attack() { Object.prototype.get = undefined; Object.prototype.writable = false; return { a: 1 } }',
    calls: [['attack'], ['alive']],
    expect: { value: 'alive' },
  },
  {
    id: 'json',
    title: 'JSON.parse and stringify replaced',
    guard: PRIMORDIALS,
    body: "attack() { JSON.parse = () => 'forged'; JSON.stringify = () => 'forged'; return { a: [1] } }",
    calls: [['attack'], ['attack']],
    expect: { value: { a: [1] } },
  },
  {
    id: 'regexp',
    title: 'exec of regular expressions replaced',
    guard: PRIMORDIALS,
    body: "attack() { RegExp.prototype.exec = () => { throw new Error('forged') }; return 1 }",
    calls: [['attack'], ['alive']],
    expect: { value: 'alive' },
  },
  {
    id: 'error-classes',
    title: 'Error and its stack replaced',
    guard: 'errors cross as texts',
    body: "attack() { globalThis.Error = class { get stack() { for (;;); } }; Error.captureStackTrace = () => { for (;;); }; return 1 }\n fail() { throw new TypeError('mine') }",
    calls: [['attack'], ['fail']],
    expect: { code: 'callee_error' },
  },
]
