/**
 * How long a kernel that turns sick after the switch goes on serving: from the first sign (errors of its own that belong
 * to no service, a health that is bad, calls to it that fail) to the kernel before it being back, in a real process under
 * calls, of which none may fail. Run: npm run bench -- sick-kernel [rounds]
 */
import { startProcess } from '../test/support/process.ts'
import { createRoot, packageRoot } from '../test/support/root.ts'
import { underCalls } from '../test/support/load.ts'
import { machine, percentile, round, table } from './support.ts'

const ROUNDS = Number(process.argv[2] ?? 10)
/** after the switch, so that it has served well before */
const SICK_AFTER_MS = 1_000
const CALLERS = 4

const SIGNS: Record<string, string> = {
  'errors of its own':
    "for (let n = 0; n < 3; n++) this.options.clock.after(1, () => this.fault(new Error('late'), 'exception'))",
  'a health that is bad': "this.health = async () => ({ ...(await super.health()), ok: false, reason: 'it is sick' })",
  'calls to it that fail': "this.status = () => { throw new Error('it fails by now') }",
}

const sickKernel = (sign: string, n: number): string => `
import { Kernel as Shipped } from '${packageRoot}/modules/kernel/kernel.ts'
export class Kernel extends Shipped {
  async adopt(state) {
    await super.adopt(state)
    if (this.options.root.startsWith('/kernel-trial')) return
    this.options.clock.after(${SICK_AFTER_MS}, () => {
      this.options.log.info('sick from now on: ${n}.')
      ${sign}
    })
  }
}
`

interface Sick {
  back_ms: number[]
  calls: number
  failed: number
}

async function measure(sign: string): Promise<Sick> {
  const root = createRoot({
    'configs/http.yml': 'prog: services/http\nport: 0\n',
    'configs/counter.yml': 'prog: counter\n',
    'modules/counter.ts':
      'export class Module { constructor() { this.count = 0 }\n  next() { return ++this.count } }\n',
  })
  const system = await startProcess(root)
  const back_ms: number[] = []
  try {
    const { calls, failed } = await underCalls(
      CALLERS,
      () => system.call<number>('counter', 'next'),
      async () => {
        for (let n = 1; n <= ROUNDS; n++) {
          root.write(`modules/sick${n}.ts`, sickKernel(sign, n))
          root.write(`configs/meta-v2.${n}.0.yml`, `prog: sick${n}\n`)
          await system.line(new RegExp(`kernel 1\\.0\\.0 → 2\\.${n}\\.0 {2}paused`))
          await system.line(new RegExp(`sick from now on: ${n}\\.`))
          const since = performance.now()
          await system.line(new RegExp(`kernel 2\\.${n}\\.0 .*taken back`))
          back_ms.push(performance.now() - since)
          root.remove(`configs/meta-v2.${n}.0.yml`)
        }
      },
    )
    return { back_ms, calls, failed: failed.length }
  } finally {
    await system.stop()
    root.dispose()
  }
}

console.log(`### A kernel that turns sick after the switch (${machine()})\n`)
const rows: string[][] = []
for (const [name, sign] of Object.entries(SIGNS)) {
  const { back_ms, calls, failed } = await measure(sign)
  const [p50, slowest] = [percentile(back_ms, 0.5), Math.max(...back_ms)]
  rows.push([
    name,
    String(back_ms.length),
    `${round(p50, 0)} ms`,
    `${round(slowest, 0)} ms`,
    String(calls),
    String(failed),
  ])
}
console.log(table(['first sign', 'times', 'sign → back, p50', 'slowest', 'calls', 'failed'], rows))
