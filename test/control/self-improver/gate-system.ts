/** A system with a service that is called, recorded and changed, for the tests of the gate and of what goes through it. */
import type { Evidence, ProposedEdit, SelfImproverApi } from '../../../modules/contracts/proposals.ts'
import { shortHash } from '../../../modules/lib/hash.ts'
import { realSandboxes, type RealSandboxes } from '../../support/sandboxes.ts'
import { startSystem, type TestSystem } from '../../support/system.ts'

export interface GateSystem extends TestSystem {
  improver: ReturnType<TestSystem['getApi']> & SelfImproverApi
  /** The checks of one file's new text. */
  check(
    path: string,
    text: string | null,
  ): Promise<{ passed: boolean; evidence: Evidence[]; failed: Evidence | undefined }>
  edit(path: string, text: string | null): ProposedEdit
}

export const CONTROL = {
  'configs/ledger.yml': 'prog: control/ledger\n',
  'configs/policy.yml': 'prog: control/policy\n',
  'configs/recordings.yml': 'prog: services/recordings\nwrite_ms: 20\n',
  'configs/self-improver.yml':
    'prog: control/self-improver\nmade_calls_max: 800\nendurance_calls_max: 1500\ntests: off\ntypes: off\nlint: off\n',
}

export async function startGate(files: Record<string, string>): Promise<GateSystem> {
  let sandboxes: RealSandboxes | undefined
  const system = await startSystem(
    { ...CONTROL, ...files },
    {
      sandboxes: ({ root, fault }) => {
        sandboxes = realSandboxes(fault, { root })
        return sandboxes
      },
    },
  )
  const improver = system.getApi<SelfImproverApi>('self-improver') as unknown as GateSystem['improver']
  const edit = (path: string, text: string | null): ProposedEdit => {
    let before: string | undefined
    try {
      before = system.root.read(path)
    } catch {
      before = undefined // it is new
    }
    return { path, base_hash: before === undefined ? null : shortHash(before), text }
  }
  const gate: Omit<GateSystem, keyof TestSystem> = {
    improver,
    edit,
    async check(path, text) {
      const result = await improver.check([edit(path, text)])
      return { ...result, failed: result.evidence.find(({ outcome }) => outcome === 'failed') }
    },
  }
  const whole = Object.assign(Object.create(system) as TestSystem, gate, {
    stop: async () => {
      await system.stop()
      await sandboxes?.close()
    },
  })
  return Object.defineProperty(whole, 'kernel', { get: () => system.kernel })
}
