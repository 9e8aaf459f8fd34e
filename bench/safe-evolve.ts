/**
 * SafeEvolve: 120 changes of eight services, three quarters of them bad, are proposed to systems that take changes while they
 * serve. What callers see, and what serves at the end, is judged in another process. Peers: `naive` and `import-first`
 * (two small programs in `safe-evolve/peers`) and `gate`, which is this product, where a model proposes and the benchmark is
 * the operator that approves whatever has passed the checks. Results are kept by line in `runtime/safe-evolve/`; what is
 * there is not run again, unless --fresh.
 * Run: npm run bench -- safe-evolve [--only B3,N] [--ids leak-kv-small] [--peers naive,gate] [--sizes quick] [--lanes 2] [--seconds 300] [--fresh]
 *      npm run bench -- safe-evolve --overhead
 */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Mutation, TrialResult } from './safe-evolve/contract.ts'
import { mutations, weights } from './safe-evolve/corpus.ts'
import { overhead } from './safe-evolve/overhead.ts'
import { packageRoot } from './safe-evolve/root.ts'
import { forgetResults, PEERS, runTrials } from './safe-evolve/run.ts'
import { byClass, lines, refusedBy } from './safe-evolve/score.ts'
import { machine, table } from './support.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    ids: { type: 'string' },
    peers: { type: 'string', default: Object.keys(PEERS).join(',') },
    sizes: { type: 'string', default: 'full' },
    lanes: { type: 'string', default: '2' },
    seconds: { type: 'string', default: '100000' },
    fresh: { type: 'boolean', default: false },
    overhead: { type: 'boolean', default: false },
  },
})

if (values.overhead) {
  console.log(await overhead())
  process.exit(0)
}

const [classes, ids] = [values.only?.split(','), values.ids?.split(',')]
const chosen: Mutation[] = mutations.filter(
  (one) =>
    (classes?.includes(one.class) ?? true) &&
    (ids?.includes(one.id) ?? true) &&
    (values.sizes !== 'quick' || one.quick === true),
)
const quick = values.sizes === 'quick'
const options = { seed: 1, warm_ms: 2_000, observe_ms: quick ? 1_000 : 4_000, probes: quick ? 50 : 200 }
const until = performance.now() + Number(values.seconds) * 1_000
const file = join(packageRoot, 'runtime', 'safe-evolve', `${values.sizes}.jsonl`)
if (values.fresh) forgetResults(file, values.peers.split(','), chosen)

const results = new Map<string, TrialResult[]>()
for (const peer of values.peers.split(',')) {
  const told = ({ mutation, verdict, by, candidate, serving, failed, wrong, late }: TrialResult): void =>
    console.error(
      `${peer}: ${mutation} ${verdict}${by === null ? '' : ` by ${by}`}, ${candidate ? 'serves' : 'does not serve'}${serving ? '' : ', DOWN'}, bad calls ${failed}+${wrong}+${late}`,
    )
  results.set(peer, await runTrials(peer, chosen, { ...options, lanes: Number(values.lanes), file, until, told }))
}

const peers = [...results]
const figures = peers.map(([, trials]) => lines(trials))
console.log(`### SafeEvolve, ${chosen.length} changes of eight services (${machine()})\n`)
const rows = (figures[0] ?? []).map(([name], index) => [name, ...figures.map((one) => one[index]?.[1] ?? '')])
console.log(table(['figure', ...peers.map(([name]) => name)], rows))
const kinds = Object.keys(weights) as (keyof typeof weights)[]
const gate = results.get('gate')
const head = ['ended as it should', ...peers.map(([name]) => name), ...(gate === undefined ? [] : ['refused by'])]
const cells = kinds.map((kind) => [
  kind,
  ...peers.map(([, trials]) => byClass(trials, kind)),
  ...(gate === undefined ? [] : [refusedBy(gate, kind)]),
])
console.log(`\n${table(head, cells)}`)
const missing = peers.map(([name, trials]) => `${name} ${chosen.length - trials.length}`)
if (peers.some(([, trials]) => trials.length < chosen.length)) console.log(`\nNot run yet: ${missing.join(', ')}`)
process.exit(0)
