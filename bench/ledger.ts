/**
 * How fast the ledger records and checks: appends by many at once, whose entries are written in groups; appends one after
 * the other, each waiting for the disk; and checking a chain. On the disk of this machine, through the service's handle.
 * Run: npm run bench -- ledger [entries]
 */
import type { LedgerApi, LedgerInput } from '../modules/contracts/ledger.ts'
import { startSystem } from '../test/support/system.ts'
import { machine, median, round, table } from './support.ts'

const ENTRIES = Number(process.argv[2] ?? 20_000)
const ROUNDS = 5
const AT_ONCE = 200
const ENTRY: LedgerInput = { actor: 'ada', origin: 'human', action: 'a', resource: 'service:api', outcome: 'ok' }

const system = await startSystem({ 'configs/ledger.yml': 'prog: control/ledger\n' })
const ledger = system.getApi<LedgerApi>('ledger')

/** Per second. */
async function rate(count: number, work: () => Promise<unknown>): Promise<number> {
  const since = performance.now()
  await work()
  return (count * 1_000) / (performance.now() - since)
}
async function appends(count: number, callers: number): Promise<void> {
  const each = Math.ceil(count / callers)
  const caller = async (): Promise<void> => {
    for (let index = 0; index < each; index++) await ledger.append(ENTRY)
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

const grouped: number[] = []
const single: number[] = []
const checked: number[] = []
await appends(AT_ONCE, AT_ONCE)
for (let turn = 0; turn < ROUNDS; turn++) {
  grouped.push(await rate(ENTRIES, () => appends(ENTRIES, AT_ONCE)))
  single.push(await rate(200, () => appends(200, 1)))
  const { head } = await ledger.status()
  checked.push(await rate(head?.sequence ?? 0, () => ledger.verify()))
}
const { valid } = await ledger.verify()
await system.stop()
console.log(`### Ledger (${machine()}); the chain was ${valid ? 'right' : 'BROKEN'} at the end\n`)
console.log(
  table(
    [`appends/s, ${AT_ONCE} callers`, 'appends/s, one caller', 'entries checked/s'],
    [[grouped, single, checked].map((rates) => round(median(rates), 0))],
  ),
)
process.exit(0)
