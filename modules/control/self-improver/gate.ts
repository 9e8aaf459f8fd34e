/**
 * The gate: all checks of a change, by stages, cheapest first. It stops at the first stage in which one fails, since what
 * follows costs more and says less; those of one stage work side by side, and all of them to their end, so that the same
 * change is refused by the same check each time. Nothing is written, and nothing of the change runs outside of a sandbox.
 */
import type { KernelApi } from '../../contracts/module.ts'
import type { DeclaredChange, Evidence, ProposedEdit } from '../../contracts/proposals.ts'
import { reasonOf } from '../../lib/errors.ts'
import { Bench, type Call } from './bench.ts'
import { readCandidate, type Candidate } from './candidate.ts'
import { failed, type Check, type Verdict } from './check.ts'
import { baseCheck } from './checks/base.ts'
import { contractCheck } from './checks/contract.ts'
import { enduranceCheck } from './checks/endurance.ts'
import { handOverCheck } from './checks/hand-over.ts'
import { lintCheck } from './checks/lint.ts'
import { loadCheck } from './checks/load.ts'
import { madeCallsCheck } from './checks/made-calls.ts'
import { policyCheck } from './checks/policy.ts'
import { replayCheck } from './checks/replay.ts'
import { scanCheck } from './checks/scan.ts'
import { testsCheck } from './checks/tests.ts'
import { typesCheck } from './checks/types.ts'
import type { Config } from './config.ts'

/** What is begun together neither times anything nor shares a process; the longest first. */
const STAGES: readonly (readonly Check[])[] = [
  [baseCheck],
  [scanCheck],
  [typesCheck, loadCheck, testsCheck, lintCheck],
  [contractCheck],
  [replayCheck],
  [madeCallsCheck],
  [handOverCheck],
  [enduranceCheck],
]

/** At a time: the service goes on beside them. */
const TOGETHER_MAX = 2
/** In which they are told of, whatever order they were begun in: of two that fail the one that says more. */
const ORDER: readonly Check[] = [typesCheck, lintCheck, testsCheck, loadCheck]

export interface GateOptions {
  actor: string
  service?: string | undefined
  changes: readonly DeclaredChange[]
  /** calls that showed what was wrong with earlier changes of a service, oldest first */
  counterexamples(service: string): readonly Call[]
}

const hasFailed = (evidence: readonly Evidence[]): boolean => evidence.at(-1)?.outcome === 'failed'

export async function runGate(
  parts: { kernel: KernelApi; config: Config },
  edits: readonly ProposedEdit[],
  options: GateOptions,
): Promise<{ passed: boolean; evidence: Evidence[] }> {
  const { kernel, config } = parts
  const off = new Set<string>((['types', 'lint', 'tests'] as const).filter((name) => config[name] === 'off'))
  const told = async (check: string, work: () => Promise<Verdict>): Promise<Evidence> => {
    const since = kernel.clock.monotonic()
    // What a check runs into is no reason to let a change through.
    const verdict = await work().catch((thrown: unknown) => failed(`the check itself failed: ${reasonOf(thrown)}`))
    return { check, ...verdict, ms: Math.round(kernel.clock.monotonic() - since) }
  }
  const empty: Candidate = { edits, actor: options.actor, subjects: [], texts: {}, changes: [], codeOnly: false }
  // Before any work, the kernel's plan included.
  const evidence = [await told('policy', () => policyCheck.run({ kernel, config, candidate: empty }))]
  if (hasFailed(evidence)) return { passed: false, evidence }
  const candidate = await readCandidate(kernel, edits, options)
  const benches = candidate.subjects.map((subject) => ({
    subject,
    bench: new Bench({ kernel, config, candidate, subject }),
    known: options.counterexamples(subject.api),
  }))
  const lane = async (check: Check): Promise<Evidence[]> => {
    if (check.of === 'change') return [await told(check.name, () => check.run({ kernel, config, candidate }))]
    const found: Evidence[] = []
    for (const { subject, bench, known } of benches) {
      const name = benches.length === 1 ? check.name : `${check.name} (${subject.api})`
      found.push(await told(name, () => check.run({ kernel, config, candidate, subject, bench, known })))
      if (hasFailed(found)) break
    }
    return found
  }
  try {
    for (const stage of STAGES) {
      const checks = stage.filter(({ name }) => !off.has(name))
      const lanes = await inLanes(checks, lane)
      for (const found of lanes) {
        evidence.push(...found)
        if (hasFailed(found)) return { passed: false, evidence }
      }
    }
    return { passed: true, evidence }
  } finally {
    await Promise.all(benches.map(({ bench }) => bench.endAll()))
  }
}

/** What each finds, in the order in which it is told. */
async function inLanes(checks: readonly Check[], lane: (check: Check) => Promise<Evidence[]>): Promise<Evidence[][]> {
  const found = new Map<Check, Evidence[]>()
  const left = [...checks]
  const work = async (): Promise<void> => {
    for (let check = left.shift(); check !== undefined; check = left.shift()) found.set(check, await lane(check))
  }
  await Promise.all(Array.from({ length: TOGETHER_MAX }, work))
  return checks.toSorted((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)).map((check) => found.get(check) ?? [])
}
