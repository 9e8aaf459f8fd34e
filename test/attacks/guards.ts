/**
 * The guards, one by one: where each stands, what takes it away, and the cases that have to notice. A guard that stands
 * twice (inside and outside of the isolate) is taken away twice, or its reason is part of what a case declares.
 */
export interface Edit {
  file: string
  /** text as it stands there, exactly once → what stands there without the guard */
  without: readonly (readonly [text: string, other: string])[]
}

export interface Guard extends Edit {
  name: string
  /** The guards it stands behind: without these alone its cases still end as declared, without all of them not. */
  behind?: readonly Edit[]
  cases: readonly string[]
}

const ENGINE = 'modules/sandbox/engine'
const GUEST = `${ENGINE}/guest`
const HOST = 'modules/sandbox/host'

const guard = (name: string, file: string, text: string, other: string, ...cases: string[]): Guard => ({
  name,
  file,
  without: [[text, other]],
  cases,
})

const removed = (name: string, ...cases: string[]): Guard =>
  guard(`${name} is gone`, `${GUEST}/globals.ts`, `'${name}'`, `'${name}Not'`, ...cases)

export const GUARDS: readonly Guard[] = [
  removed('WebAssembly', '74'),
  removed('SharedArrayBuffer', '73'),
  removed('Atomics', '73'),
  removed('FinalizationRegistry', '65'),
  removed('WeakRef', '65'),
  guard(
    'buffers do not grow',
    `${GUEST}/globals.ts`,
    "hidden('ArrayBuffer', fixedArrayBuffer())",
    'fixedArrayBuffer()',
    '72',
  ),
  guard('no resize()', `${GUEST}/globals.ts`, "Reflect.deleteProperty(prototype, 'resize')", '', '72'),
  guard(
    'a length only',
    `${GUEST}/globals.ts`,
    'construct(Native, [length],',
    'construct(Native, [length, arguments[1]],',
    '72',
  ),
  guard(
    "not by a buffer's constructor",
    `${GUEST}/globals.ts`,
    "defineProperty(prototype, 'constructor', { value: Fixed,",
    "defineProperty(prototype, 'constructor', { value: Native,",
    '72',
  ),
  guard(
    'the door of the boot closes',
    `${ENGINE}/place.ts`,
    "if (--left === 0) remove(globalThis, '__sandbox_add__');",
    '--left;',
    'boot-window',
  ),
  guard(
    'JSON of its own',
    `${GUEST}/primordials.ts`,
    'export const { parse, stringify } = JSON',
    'export const parse = (text: string) => JSON.parse(text); export const stringify = (value: unknown) => JSON.stringify(value)',
    'json',
  ),
  guard(
    'then of its own',
    `${GUEST}/primordials.ts`,
    'free(Promise.prototype.then) as unknown as (',
    '((self: any, a: any, b: any) => self.then(a, b)) as unknown as (',
    '42',
  ),
  guard(
    'descriptors without a prototype',
    `${GUEST}/primordials.ts`,
    'setPrototypeOf(descriptor, null) as PropertyDescriptor',
    'descriptor',
    'descriptors',
  ),
  guard('depth', `${GUEST}/codec.ts`, 'if (this.depth >= DEPTH_MAX)', 'if (this.depth < 0)', '32'),
  guard('no rings', `${GUEST}/codec.ts`, "refuse('what holds itself')", 'void 0', '33'),
  guard('size of bytes', `${GUEST}/codec.ts`, 'if (this.size > this.max)', 'if (this.size < 0)', '35b'),
  guard(
    'size as it is written',
    `${GUEST}/channel.ts`,
    'if (body.length > this.limits.message_bytes_max)',
    'if (body.length < 0)',
    'wide-text',
  ),
  guard(
    'number of messages in an entry',
    `${GUEST}/channel.ts`,
    'if (this.count > this.limits.messages_max ||',
    'if (this.count < 0 && ',
    '77',
  ),
  guard(
    'number of messages in a second',
    `${ENGINE}/guest-client.ts`,
    'if (++this.told > limits.messages_max)',
    'if (++this.told < 0)',
    'slow-flood',
  ),
  guard(
    'errors are cut',
    `${GUEST}/errors.ts`,
    'whole.length > max ? slice(whole, 0, max) : whole',
    'max > 0 ? whole : slice(whole, 0, max)',
    '23',
  ),
  guard(
    'errors have no stack of ours',
    `${ENGINE}/guest-client.ts`,
    'return code === undefined ? { name, message } :',
    'return code === undefined ? { name, message: `${message} ${(thrown as Error).stack}` } :',
    '22',
  ),
  guard(
    'timers take functions',
    `${GUEST}/timers.ts`,
    "if (typeof work !== 'function') throw new TypeError('a timer calls a function')",
    '',
    'timer-text',
  ),
  guard(
    'number of timers',
    `${GUEST}/timers.ts`,
    'if (this.timers.length >= TIMERS_MAX)',
    'if (this.timers.length < 0)',
    '79',
  ),
  guard('the kernel is frozen', `${GUEST}/kernel-api.ts`, '  return freeze({', '  return ({', '18'),
  guard(
    'every call is checked',
    `${HOST}/guest-calls.ts`,
    'this.check({ service: api, aspect, method, args })',
    '',
    '15',
    'grant-method',
  ),
  {
    name: 'paths are compared as they lead',
    file: `${HOST}/grants.ts`,
    without: [
      ['const path = posix.normalize(argument)', 'const path = argument'],
      ["|| path.split('/').includes('..')", ''],
    ],
    cases: ['grant-file'],
  },
  guard('the scan refuses', `${HOST}/review.ts`, '  refuseFindings(report)\n', '', 'visible-eval'),
  guard(
    'powers are compared before',
    `${HOST}/review.ts`,
    'if (missing.length === 0) return []',
    'return []',
    'grant-scan',
  ),
  guard(
    'imports by a list',
    `${ENGINE}/program.ts`,
    'if (!program.packages.includes(packageNameOf(specifier)))',
    'if (specifier.length < 0)',
    'unlisted-package',
  ),
  guard(
    'no import() of code',
    `${ENGINE}/program.ts`,
    "if (code.code.includes('__vite_ssr_dynamic_import__')) refuseDynamic(path, source)",
    '',
    '6',
  ),
  guard(
    'depth before the parser',
    'modules/loader/transform.ts',
    'if (nestingOf(source) > NESTING_MAX)',
    'if (nestingOf(source) < 0)',
    'nested',
  ),
  {
    name: 'a deadline on every entry',
    file: `${ENGINE}/isolate.ts`,
    without: [
      ['if (this.enteredCpu > this.cpuMax) this.end(', 'if (this.enteredCpu < 0) this.end('],
      ['return this.cpuMax * 4 + 1_000', 'return 120_000'],
    ],
    cases: ['45'],
  },
  guard(
    'a deadline on every call',
    `${ENGINE}/guest-client.ts`,
    'const timer = wall_ms > 0 ?',
    'const timer = wall_ms < 0 ?',
    '62',
  ),
  guard('memory of an isolate', `${ENGINE}/isolate.ts`, 'memoryLimit: limits.memory_mb', 'memoryLimit: 4_096', 'hoard'),
  guard(
    'a share of a core',
    `${ENGINE}/cpu-share.ts`,
    'return used > this.share',
    'return used < 0 && used > this.share',
    'share',
  ),
  guard(
    "an operator's methods",
    'modules/kernel/kernel-service.ts',
    "if (caller.api !== OPERATOR_SERVICE) throw coded('operator_method', { method: 'release' })",
    '',
    'grant-operator',
  ),
  {
    name: 'messages are counted again where they arrive',
    file: `${ENGINE}/isolate.ts`,
    without: [['const isOver = this.packets > messages_max * 2 ||', 'const isOver = messages_max < 0 &&']],
    behind: [
      {
        file: `${GUEST}/channel.ts`,
        without: [
          ['if (this.count > this.limits.messages_max ||', 'if (this.count < 0 && '],
          ['if (this.asked.size >= this.limits.messages_max) this.flood()', ''],
        ],
      },
    ],
    cases: ['small-digests'],
  },
  {
    name: 'no computing outside of every entry',
    file: `${ENGINE}/isolate.ts`,
    without: [['else if (computedSince(this.idle, now) > IDLE_CPU_MS)', 'else if (now.cpu < 0)']],
    behind: [
      {
        file: `${GUEST}/globals.ts`,
        without: [["'FinalizationRegistry'", "'FinalizationRegistryNot'"]],
      },
    ],
    cases: ['65b'],
  },
  {
    name: 'a process that computes on ends',
    file: `${ENGINE}/fall.ts`,
    without: [['if (!wasEntered) return', 'if (wasEntered || !wasEntered) return']],
    // V8 gives up on it by itself, after many seconds.
    behind: [{ file: `${ENGINE}/isolate.ts`, without: [['    this.events.stuck()\n', '']] }],
    cases: ['58b'],
  },
  {
    name: 'memory of a process',
    file: `${ENGINE}/process-place.ts`,
    without: [['if (rss_mb > this.rssMax) this.kill(', 'if (rss_mb < 0) this.kill(']],
    behind: [
      { file: `${ENGINE}/isolate.ts`, without: [['memoryLimit: limits.memory_mb', 'memoryLimit: 4_096']] },
      { file: `${ENGINE}/child.ts`, without: [['if (rss_mb > this.rssMax) this.last(', 'if (rss_mb < 0) this.last(']] },
    ],
    cases: ['process'],
  },
  {
    name: 'memory of a process, seen from inside',
    file: `${ENGINE}/child.ts`,
    without: [['if (rss_mb > this.rssMax) this.last(', 'if (rss_mb < 0) this.last(']],
    behind: [
      { file: `${ENGINE}/isolate.ts`, without: [['memoryLimit: limits.memory_mb', 'memoryLimit: 4_096']] },
      {
        file: `${ENGINE}/process-place.ts`,
        without: [['if (rss_mb > this.rssMax) this.kill(', 'if (rss_mb < 0) this.kill(']],
      },
    ],
    cases: ['process'],
  },
  guard('no environment', `${ENGINE}/process-place.ts`, 'env: {},', 'env: process.env,', 'env'),
  guard("Node's permission model", `${ENGINE}/process-place.ts`, '...permissionFlags(ivmPath),', '', 'env'),
  guard(
    'events are powers',
    `${HOST}/guest-owned.ts`,
    "this.options.check({ service: 'events', aspect: 'default', method, args: [name] })",
    '',
    'grant-on',
    'grant-emit',
  ),
  guard(
    'quarantine',
    `${HOST}/quarantine.ts`,
    'if (kills.length < KILLS_MAX) return undefined',
    'if (log !== null) return undefined',
    'again',
  ),
]
