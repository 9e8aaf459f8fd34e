/**
 * What it costs to ask the policy, in microseconds, through its handle: about a value, a file, a tool that reads, and a
 * config written anew, in a system of 20 services; and what the gate adds to a tool call that only reads.
 * Run: npm run bench -- policy [questions]
 */
import type { Change, PolicyApi } from '../modules/contracts/policy.ts'
import type { ToolsApi } from '../modules/contracts/services.ts'
import { startSystem } from '../test/support/system.ts'
import { machine, median, round, table } from './support.ts'

const QUESTIONS = Number(process.argv[2] ?? 5_000)
const ROUNDS = 7
const TEXT = 'prog: other\nharness: {retry_limit: 10}\n'

const system = await startSystem({
  'configs/ledger.yml': 'prog: control/ledger\n',
  'configs/policy.yml': 'prog: control/policy\n',
  'configs/tools.yml': 'prog: services/tools\nhooks: [policy]\n',
  'configs/filesystem.yml': 'prog: services/filesystem\n',
  'modules/other.ts': 'export class Module {}\n',
  ...Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`configs/s${n}.yml`, TEXT])),
})
const policy = system.getApi<PolicyApi>('policy')
const tools = system.getApi<ToolsApi>('tools')
const undo = [{ operation: 'restore_file' as const, target: 'it' }]

const CHANGES: Record<string, Change> = {
  'a value': { kind: 'value', file: 'configs/s1.yml', key: 'harness.retry_limit', old: 10, new: 11 },
  'a file': { kind: 'file', path: 'modules/other.ts', operation: 'modify' },
  'a tool that reads': { kind: 'tool', tool: 'kernel_status', params: {}, read_only: true },
  'a config written anew': {
    kind: 'file',
    path: 'configs/s1.yml',
    operation: 'modify',
    text: TEXT.replace('10', '11'),
  },
}

/** Microseconds each. */
async function each(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now()
  for (let index = 0; index < QUESTIONS; index++) await work()
  return ((performance.now() - since) * 1_000) / QUESTIONS
}

async function measured(work: () => Promise<unknown>): Promise<string> {
  const times: number[] = []
  for (let turn = 0; turn < ROUNDS; turn++) times.push(await each(work))
  return round(median(times.slice(1)), 1)
}

const rows: string[][] = []
for (const [name, change] of Object.entries(CHANGES))
  rows.push([name, await measured(() => policy.check({ origin: 'self', actor: 'bench', changes: [change], undo }))])
const gated = await measured(() => tools.invoke('tools_find', { text: 'status' }))
system.root.write('configs/tools.yml', 'prog: services/tools\n')
await system.reload('tools')
const open = await measured(() => tools.invoke('tools_find', { text: 'status' }))
await system.stop()
console.log(`### Policy (${machine()}), µs\n`)
console.log(table(['a question about', 'takes'], rows))
console.log(`\nA tool call that only reads takes ${gated} with the gate and ${open} without.`)
process.exit(0)
