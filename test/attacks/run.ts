/**
 * The corpus, or the cases named, in this process, which prints one line of JSON and ends by itself: that it does is part
 * of what is tested. Run as a script by `test/support/child.ts`: `run.ts [id…]`.
 */
import { tryAttack, type Verdict } from './try.ts'
import { ATTACKS } from './cases/index.ts'
import { startWorld, type Measured } from './world.ts'

export interface CorpusResult {
  verdicts: Verdict[]
  measured: Measured
  /** processes of sandboxes that are still there */
  left: number[]
  /** members that built-in prototypes of this process have gained */
  polluted: string[]
}

const PROTOTYPES = { Object, Array, Function, Map, Set, Promise, String, Error }
const members = (): string[] =>
  Object.entries(PROTOTYPES).flatMap(([name, one]) =>
    Reflect.ownKeys(one.prototype as object).map((key) => `${name}.prototype.${String(key)}`),
  )

export async function runAttacks(ids: readonly string[]): Promise<CorpusResult> {
  const chosen = ids.length === 0 ? ATTACKS : ATTACKS.filter(({ id }) => ids.includes(id))
  const before = new Set(members())
  const world = await startWorld()
  const verdicts: Verdict[] = []
  for (const attack of chosen) verdicts.push(await tryAttack(world, attack))
  const measured = world.measured()
  const { left } = await world.end()
  return { verdicts, measured, left, polluted: members().filter((one) => !before.has(one)) }
}

if (process.argv[1] === import.meta.filename) {
  const result = await runAttacks(process.argv.slice(2))
  process.stdout.write(`${JSON.stringify(result)}\n`)
}
