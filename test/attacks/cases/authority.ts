/** Attacks that look for power: code of this process, globals of Node, services and methods nobody granted. */
import type { Attack } from '../attack.ts'

/** What a piece of code made from text can see of the machine. */
const PROBE = "'return typeof process + typeof require + typeof module + typeof globalThis.process'"
const NOTHING = 'undefinedundefinedundefinedundefined'
const probe = (fn: string): string => `attack() { return ${fn}[CTOR](${PROBE})() }`

const GUEST_REALM = 'the one callback is a function of the guest realm'
const NO_AUTHORITY = 'no global of Node is in an isolate'

export const AUTHORITY: readonly Attack[] = [
  {
    id: '1',
    title: 'the constructor of a function',
    guard: NO_AUTHORITY,
    body: probe('(() => {})'),
    expect: { value: NOTHING },
  },
  {
    id: '2',
    title: 'the constructor chain of the kernel and of a handle',
    guard: GUEST_REALM,
    grants: ['victim.*'],
    body: `attack() {
      const seen = [this.kernel, this.kernel.getApi, this.kernel.getApi('victim'), this.kernel.getApi('victim').echo, this.kernel.log]
      return seen.map((one) => { try { return (one[CTOR][CTOR] ?? one[CTOR])(${PROBE})() } catch (e) { return 'refused' } }).filter((x) => x !== '${NOTHING}' && x !== 'refused')
    }`,
    expect: { value: [] },
  },
  {
    id: '3',
    title: 'the constructor chain of the config and of arguments',
    guard: 'values cross as text and bytes, never as objects',
    config: 'deep: {list: [1, {a: b}]}',
    calls: [['attack', { nested: [1] }, new Date(0), new Map([[1, 2]])]],
    body: `attack(...args) {
      const all = [this.config, this.config.deep, this.config.deep.list, ...args, args[0].nested]
      return all.every((one) => { const F = one[CTOR][CTOR]; return F(${PROBE})() === '${NOTHING}' })
    }`,
    expect: { value: true },
  },
  {
    id: '4',
    title: 'the constructor of an error from the boundary',
    guard: 'errors cross as texts',
    body: `async attack() { try { await this.kernel.getApi('victim').echo(() => 1) } catch (e) { return e[CTOR][CTOR](${PROBE})() } }`,
    grants: ['victim.*'],
    expect: { value: NOTHING },
  },
  {
    id: '5',
    title: 'the constructor of an error that a service threw',
    guard: 'errors cross as texts',
    grants: ['victim.fail'],
    body: `async attack() { try { await this.kernel.getApi('victim').fail() } catch (e) { return e[CTOR][CTOR](${PROBE})() } }`,
    expect: { value: NOTHING },
  },
  {
    id: '6',
    title: "import('fs') at run time",
    guard: 'code is not loaded while it runs',
    body: "attack() { return import('fs') }",
    expect: { refused: ['import_refused', 'scan_refused'] },
  },
  {
    id: '7',
    title: "import('data:…') at run time",
    guard: 'the scan: code from a URL',
    body: "attack() { return import('data:text/javascript,export default 1') }",
    expect: { refused: ['scan_refused', 'import_refused'] },
  },
  {
    id: '8',
    title: 'a static import of fs',
    guard: 'imports are allowed by a list',
    top: "import fs from 'fs'",
    body: 'attack() { return fs.readFileSync("/etc/passwd") }',
    expect: { refused: 'import_refused' },
  },
  {
    id: '9',
    title: 'a static import of node:child_process',
    guard: 'imports are allowed by a list',
    top: "import cp from 'node:child_process'",
    body: 'attack() { return cp.execSync("id") }',
    expect: { refused: ['import_refused', 'scan_refused'] },
  },
  {
    id: '10',
    title: 'an import of __proto__',
    guard: 'names are looked up in maps without a prototype',
    top: "import x from '__proto__'",
    body: 'attack() { return x }',
    expect: { refused: ['import_refused', 'import_missing'] },
  },
  {
    id: '11',
    title: 'eval and new Function',
    guard: NO_AUTHORITY,
    body: `attack() { return globalThis.Object.getPrototypeOf(async () => {})[CTOR]('return typeof process')() }`,
    expect: { value: 'undefined' },
  },
  {
    id: '12',
    title: 'names of the bootstrap in scope',
    guard: 'the bootstrap lives in closures',
    body: "attack() { return ['send', 'receive', '$0', '$1', '$2', 'pending', 'booted', 'main', 'linker', '__sandbox_add__', 'channel', 'exports', 'module'].filter((name) => (() => {})[CTOR](`return typeof ${name}`)() !== 'undefined') }",
    expect: { value: [] },
  },
  {
    id: '13',
    title: 'any global that leads out',
    guard: NO_AUTHORITY,
    body: 'attack() { return Object.getOwnPropertyNames(globalThis).filter((name) => /process|require|ivm|isolate|Shared|Wasm|WebAssembly|Atomics|Deno|Bun|module|sandbox|Worker|fetch|Buffer/i.test(name) && !/^(ArrayBuffer)$/.test(name)) }',
    expect: { value: [] },
  },
  {
    id: '14',
    title: 'private and inherited methods of a service',
    guard: 'handles forward public methods only',
    grants: ['victim.*'],
    body: `async attack() {
      const out = []
      for (const name of ['_secret', 'constructor', '__proto__', 'hasOwnProperty', 'toString', 'init', 'shutdown', 'getAspect']) {
        try { const v = this.kernel.getApi('victim')[name]; const r = typeof v === 'function' ? await v.call(this.kernel.getApi('victim')) : undefined; if (typeof r === 'string' && r.includes('secret')) out.push(name) } catch {}
      }
      return out
    }`,
    expect: { value: [] },
  },
  {
    id: '15',
    title: 'a service nobody granted',
    guard: 'grants: deny by default',
    body: "attack() { const name = hidden('vic', 'tim'); return this.kernel.getApi(name).echo(1) }",
    expect: { code: 'grant_denied' },
  },
  {
    id: '16',
    title: 'an aspect nobody granted',
    guard: 'grants name the aspect',
    grants: ['victim.echo'],
    body: "attack() { return this.kernel.getApi(hidden('vic', 'tim')).as('tool').echo(1) }",
    expect: { code: 'grant_denied' },
  },
  {
    id: '17',
    title: 'a service called __proto__, and a name that is an object',
    guard: 'what a guest says is read by its form',
    body: `async attack() {
      const out = []
      for (const name of ['__proto__', 'constructor', '', ' victim', { toString: () => 'victim' }, ['victim']]) {
        try { await this.kernel.getApi(name).echo(1); out.push(String(name)) } catch (e) { if (!e.code) out.push(String(e)) }
      }
      return out.filter((one) => !/TypeError|name/.test(one))
    }`,
    expect: { value: [] },
  },
  {
    id: '18',
    title: 'writing to the kernel and to a handle',
    guard: 'what a module is given is frozen',
    grants: ['victim.echo'],
    body: `attack() {
      const done = []
      for (const [what, one] of [['kernel', this.kernel], ['log', this.kernel.log], ['events', this.kernel.events]]) {
        try { one.getApi = one.info = one.emit = () => 'mine' ; done.push(what) } catch (e) { if (!(e instanceof TypeError)) done.push('odd') }
      }
      return done
    }`,
    expect: { value: [] },
  },
  {
    id: '19',
    title: 'call sites of a stack',
    guard: 'strict code has no getThis, getFunction',
    body: `attack() {
      let sites = []; const before = Error.prepareStackTrace
      Error.prepareStackTrace = (_e, all) => { sites = all; return '' }
      void new Error('x').stack; Error.prepareStackTrace = before
      return sites.every((one) => one.getThis?.() === undefined && one.getFunction?.() === undefined)
    }`,
    expect: { value: true },
  },
  {
    id: '20',
    title: 'function.caller and arguments.callee',
    guard: 'strict code',
    body: `attack() {
      const tries = [() => this.attack.caller, () => (function () { return arguments.callee })()]
      return tries.map((one) => { try { one(); return 'got' } catch (e) { return e instanceof TypeError } })
    }`,
    expect: { value: [true, true] },
  },
  {
    id: '21',
    title: 'stackTraceLimit',
    guard: 'stacks hold frames of the guest only',
    body: `attack() { Error.stackTraceLimit = 1e9; const { stack } = new Error('x'); return /node:|internal|isolated|\\/modules\\/sandbox|\\/home|\\/root\\//.test(stack) }`,
    expect: { value: false },
  },
  {
    id: '22',
    title: 'paths of this machine in errors',
    guard: 'host errors cross without their stack',
    grants: ['victim.fail'],
    body: "async attack() { try { await this.kernel.getApi('victim').fail() } catch (e) { return /\\.ts:\\d|node_modules|node:/.test(e.stack + e.message + JSON.stringify(e)) } }",
    expect: { value: false },
  },
  {
    id: '23',
    title: 'an error with a message of 10 MB, and one that is an object',
    guard: 'errors are cut at 8 KB',
    body: "attack() { const e = new Error('x'.repeat(1e7)); e.name = { toString() { return 'odd' } }; throw e }",
    expect: { code: 'callee_error' },
  },
  {
    id: '24',
    title: 'errors in errors',
    guard: 'errors are flat',
    body: "attack() { const e = new AggregateError([new Error('a', { cause: globalThis })], 'all', { cause: { deep: globalThis } }); throw e }",
    expect: { code: 'callee_error' },
  },
  {
    id: 'env',
    title: 'the environment of the kernel',
    guard: NO_AUTHORITY,
    body: "attack() { return JSON.stringify(Object.getOwnPropertyNames(globalThis)).includes('env') || typeof globalThis.process !== 'undefined' }",
    expect: { value: false },
    process: 'bare',
  },
  {
    id: 'boot-window',
    title: 'the door of the boot, looked for at the top of the module',
    guard: 'the door is gone before code runs',
    top: 'const atTop = typeof __sandbox_add__',
    body: 'attack() { return [atTop, typeof __sandbox_add__] }',
    expect: { value: ['undefined', 'undefined'] },
  },
  {
    id: 'boot-realm',
    title: 'Object.prototype.get, set while the bootstrap is over',
    guard: 'primordials first',
    top: "Object.prototype.get = () => 'mine'",
    body: 'attack() { return 1 }',
    expect: { value: 1 },
  },
  {
    id: 'forged-code',
    title: "an error that says it is the sandbox's own",
    guard: 'what a guest throws ends nothing',
    body: "attack() { throw Object.assign(new Error('mine'), { code: 'sandbox_cpu', hint: 'x' }) }",
    expect: { code: ['sandbox_cpu', 'callee_error'] },
    after: 'lives',
  },
  {
    id: 'crypto-namespace',
    title: 'the subtle crypto of the host',
    guard: 'digest is the only door',
    body: 'attack() { return Object.getOwnPropertyNames(Object.getPrototypeOf(crypto.subtle)).concat(Object.keys(crypto.subtle)).filter((name) => /key|encrypt|sign/i.test(name)) }',
    expect: { value: [] },
  },
  {
    id: 'timer-text',
    title: 'a timer with a text',
    guard: 'a timer takes functions',
    body: "attack() { const later = setTimeout; try { later(hidden('globalThis', '.x = 1'), 0); return 'taken' } catch (e) { return e instanceof TypeError } }",
    expect: { value: true },
  },
]
