/**
 * What a call through a handle costs over the same call made directly, both awaited: one handle at its own call site,
 * and one call site that sees 50 handles in turn. Rounds are interleaved; figures are medians of 15.
 * Run: npm run bench -- handle
 */
import { startSystem } from '../test/support/system.ts'
import { machine, median, round, table } from './support.ts'

const ROUNDS = 15
const CALLS = 200_000
const SERVICES = 50

type Target = { add(a: number, b: number): unknown; later(a: number, b: number): unknown }

const source = `export class Module { n = 0; add(a: number, b: number) { this.n++; return a + b } async later(a: number, b: number) { this.n++; return a + b } me() { return [this] } }`
const files: Record<string, string> = { 'modules/calc.ts': source }
for (let index = 0; index < SERVICES; index++) files[`configs/s${index}.yml`] = 'prog: calc'
const system = await startSystem(files)
const handles: Target[] = []
const instances: Target[] = []
for (let index = 0; index < SERVICES; index++) {
  const handle = system.getApi(`s${index}`)
  const [instance] = (await (handle['me'] as () => Promise<unknown>)()) as [Target]
  instances.push(instance)
  handles.push(handle as unknown as Target)
}

/** A loop of its own for each measurement, so that every call site starts without a history. */
function loop(method: keyof Target): (targets: Target[], calls: number) => Promise<number> {
  const code = `return async (targets, calls) => {
    const many = targets.length
    const since = performance.now()
    if (many === 1) { const one = targets[0]; for (let i = 0; i < calls; i++) await one.${method}(i, 1) }
    else for (let i = 0; i < calls; i++) await targets[i % many].${method}(i, 1)
    return (performance.now() - since) * 1e6 / calls
  }`
  // Each loop needs call sites of its own, or one loop's types would slow the next.
  // oxlint-disable-next-line typescript/no-implied-eval -- the text is the one above, of this file
  return new Function(code)() as ReturnType<typeof loop>
}

const rows: string[][] = []
for (const method of ['add', 'later'] as const) {
  for (const [name, count] of [
    ['one handle, own call site', 1],
    ['50 handles, one call site', SERVICES],
  ] as const) {
    const direct: number[] = []
    const handled: number[] = []
    for (let index = 0; index < ROUNDS; index++) {
      const pair: [Target[], number[]][] = [
        [instances, direct],
        [handles, handled],
      ]
      for (const [targets, into] of index % 2 === 0 ? pair : pair.reverse()) {
        const run = loop(method)
        await run(targets.slice(0, count), 20_000)
        into.push(await run(targets.slice(0, count), CALLS))
      }
    }
    const [a, b] = [median(direct), median(handled)]
    rows.push([
      method === 'add' ? 'sync' : 'async',
      name,
      round(a, 1),
      round(b, 1),
      `${round(b / a)} ×`,
      `+${round(b - a, 1)}`,
    ])
  }
}
await system.stop()
console.log(`### A call through a handle, awaited, ns (${machine()})\n`)
console.log(table(['method', 'where', 'direct', 'handle', 'ratio', 'difference'], rows))
process.exit(0)
