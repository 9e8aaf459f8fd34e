/** The six modules of `mm demo sandbox`: what each tries, and how it has to end. Plain data; `demo.ts` runs them. */

export interface DemoAttack {
  name: string
  tries: string
  source: string
  sandbox: string
  /** contained means one of these codes, or this value */
  contained: { codes: readonly string[] } | { value: unknown }
}

const HIDDEN = "const hidden = (...parts) => parts.join('')\n"
const moduleOf = (body: string): string => `${HIDDEN}export class Module {
  constructor(kernel) { this.kernel = kernel }
  alive() { return 'alive' }
  attack() { ${body} }
}
`
const OWN = 'isolation: own, cpu_ms: 200, wall_ms: 10000, memory_mb: 32'
/** For what is to be stopped by something else than its time. */
const PATIENT = 'isolation: own, cpu_ms: 8000, cpu_share: 1, wall_ms: 20000, memory_mb: 32'

export const DEMO_ATTACKS: readonly DemoAttack[] = [
  {
    name: 'loop',
    tries: 'computes for ever',
    source: moduleOf('for (;;);'),
    sandbox: OWN,
    contained: { codes: ['sandbox_cpu'] },
  },
  {
    name: 'native',
    tries: 'computes for ever where nothing can interrupt it',
    source: moduleOf('return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)'),
    sandbox: OWN,
    contained: { codes: ['sandbox_cpu', 'sandbox_host_died'] },
  },
  {
    name: 'memory',
    tries: 'fills all memory',
    source: moduleOf('const all = []; for (;;) all.push({ n: all.length })'),
    sandbox: PATIENT,
    contained: { codes: ['sandbox_memory', 'sandbox_crashed', 'sandbox_host_died'] },
  },
  {
    name: 'flood',
    tries: 'writes a hundred thousand lines at once',
    source: moduleOf("for (let n = 0; n < 100000; n++) console.log('x'.repeat(1000))"),
    sandbox: PATIENT,
    contained: { codes: ['sandbox_flood'] },
  },
  {
    name: 'escape',
    tries: 'looks for the process behind the constructor of a function',
    source: moduleOf("return (() => {})[hidden('con', 'structor')]('return typeof process + typeof require')()"),
    sandbox: OWN,
    contained: { value: 'undefinedundefined' },
  },
  {
    name: 'power',
    tries: 'drops a table of the database, which nobody granted',
    source: moduleOf("return this.kernel.getApi(hidden('data', 'base')).execute('DROP TABLE kept')"),
    sandbox: OWN,
    contained: { codes: ['grant_denied'] },
  },
]

/** In a process of its own, and called all the time: what the attacks must not be felt by. */
export const COUNTER = 'export class Module { n = 0; beat() { return ++this.n } }\n'
